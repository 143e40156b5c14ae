/** The keel of a boat seen from ahead, as on the icon. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" />
      <path d="M16 5v17" />
      <path d="M5 14c1.5 7 5.5 12 11 12s9.5-5 11-12" />
      <path className="mark-inner" d="M9.5 14c1 4.5 3.5 7.5 6.5 7.5s5.5-3 6.5-7.5" />
    </svg>
  );
}
