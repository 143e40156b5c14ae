import { z } from 'zod';

/** An instant as RFC 3339 text in UTC, milliseconds or none: `2026-01-31T12:00:00.000Z`. */
export const timestamp = () => z.iso.datetime({ offset: false });
