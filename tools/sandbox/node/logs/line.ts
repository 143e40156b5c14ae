/** One line of a container's output. `time` is RFC 3339 in UTC. */
export type LogLine = { time: string; stream: 'stdout' | 'stderr'; text: string };

/** What `kubectl logs` asks for. Source: core/v1 PodLogOptions. */
export type LogQuery = {
  tailLines?: number;
  sinceTime?: number;
  timestamps: boolean;
  limitBytes?: number;
};

/** The file format of the Container Runtime Interface; F: a full line. */
export const formatLine = (line: LogLine): string => `${line.time} ${line.stream} F ${line.text}\n`;

export function parseLines(content: string): LogLine[] {
  const lines: LogLine[] = [];
  for (const raw of content.split('\n')) {
    const match = /^(\S+) (stdout|stderr) F (.*)$/s.exec(raw);
    if (match === null) continue;
    lines.push({ time: match[1] ?? '', stream: match[2] as LogLine['stream'], text: match[3] ?? '' });
  }
  return lines;
}

/** Chooses the lines: those since a time, and of these the last `tailLines`. */
export function select(lines: readonly LogLine[], query: LogQuery): LogLine[] {
  const { sinceTime, tailLines } = query;
  const recent = sinceTime === undefined ? [...lines] : lines.filter((line) => Date.parse(line.time) >= sinceTime);
  if (tailLines === undefined) return recent;
  return tailLines === 0 ? [] : recent.slice(-tailLines);
}

/** As it goes to the client. */
export const render = (line: LogLine, query: Pick<LogQuery, 'timestamps'>): string =>
  query.timestamps ? `${line.time} ${line.text}\n` : `${line.text}\n`;
