// Before anything is painted, so that the page does not flash in the other theme. See parts/theme.tsx.
try {
  const theme = localStorage.getItem('keelson.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is forbidden here: the system's theme it is.
}
