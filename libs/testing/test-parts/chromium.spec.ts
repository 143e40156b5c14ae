import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { chromiumPath, privateFolder, removePrivateFolder } from '@keelson/testing';

describe('Chromium', () => {
  test('renders a page without a display', async () => {
    const folder = privateFolder('chromium');
    const path = await chromiumPath();
    const page = 'data:text/html,<p id=a></p><script>a.textContent = 6 * 7</script>';
    const options = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${folder}`, '--dump-dom', page];
    const { stdout } = await promisify(execFile)(path, options, { timeout: 60_000 });
    removePrivateFolder(folder);
    expect(stdout).toContain('<p id="a">42</p>');
  }, 600_000);
});
