// Runs `go test` with the arguments given and says at the end, in one line, how much was tested: a green run of no tests
// should not look like a green run. Prints what go test prints without -v: a line for each package, and the whole output
// of what fails.
//
// A skipped test fails the run. Whoever skips does so because something is missing on the machine, and the machine that
// runs everything must have it. (A fuzz target may skip a seed; that is how it says "not interesting".)
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const go = spawn('go', ['test', '-json', ...process.argv.slice(2)], { stdio: ['ignore', 'pipe', 'inherit'] });

const output = new Map(); // "package test" -> what it printed, until it is known whether that is wanted
const count = { pass: 0, fail: 0 };
const packages = { pass: 0, fail: 0 };
const skipped = [];

const key = (event) => `${event.Package} ${event.Test}`;

function take(event) {
  switch (event.Action) {
    case 'build-output':
      process.stdout.write(event.Output);
      return;
    case 'output':
      if (event.Test) output.set(key(event), (output.get(key(event)) ?? '') + event.Output);
      else if (event.Output !== 'PASS\n') process.stdout.write(event.Output);
      return;
    case 'pass':
    case 'fail':
      if (event.Test) {
        count[event.Action]++;
        if (event.Action === 'fail') process.stdout.write(output.get(key(event)) ?? '');
        output.delete(key(event));
      } else {
        packages[event.Action]++;
        if (event.Action === 'fail') printUnfinished(event.Package);
      }
      return;
    case 'skip':
      if (event.Test && !event.Test.startsWith('Fuzz')) skipped.push(`${event.Package} ${event.Test}\n${output.get(key(event)) ?? ''}`);
      output.delete(key(event));
  }
}

// A panic or a timeout ends a package without a verdict on the test that was running.
function printUnfinished(name) {
  for (const [id, text] of output) {
    if (!id.startsWith(`${name} `)) continue;
    process.stdout.write(text);
    output.delete(id);
  }
}

const lines = createInterface({ input: go.stdout });
lines.on('line', (line) => {
  let event;
  try {
    event = JSON.parse(line);
  } catch {
    process.stdout.write(`${line}\n`); // such as a fault in an argument
    return;
  }
  take(event);
});

// Both must have ended: 'close' of the process comes when its output is read to the end.
const [status] = await Promise.all([
  new Promise((resolve) => go.on('close', (code, signal) => resolve(signal ? 1 : code))),
  new Promise((resolve) => lines.on('close', resolve)),
]);

for (const s of skipped) process.stdout.write(`--- skipped, which counts as failed here: ${s}`);
let summary = `go test: ${count.pass} passed`;
if (count.fail || packages.fail) summary += `, ${count.fail} failed in ${packages.fail} packages`;
if (skipped.length) summary += `, ${skipped.length} skipped`;
console.log(`${summary} (${packages.pass + packages.fail} packages)`);
process.exit(status || (skipped.length || count.pass === 0 ? 1 : 0));
