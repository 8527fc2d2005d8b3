// The committed schemas in an editor's YAML language server: what is shipped shows no mistake, a mistake is shown where it is, the verbs are offered, and a key says what it is.
// Usage: node language-server.js FOLDER_OF_NODE_MODULES, in the package's directory. Speaks LSP over stdio; needs nothing but the server.
'use strict';
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

// One question may take so long; a server that says nothing ends the check.
const PATIENCE_MS = 60000;

class Server {
  constructor(program, settings) {
    this.settings = settings;
    this.next = 1;
    this.questions = new Map();
    this.diagnostics = new Map();
    this.waiting = new Map();
    this.rest = Buffer.alloc(0);
    this.process = spawn(process.execPath, [program, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.process.stdout.on('data', (bytes) => this.take(bytes));
    this.process.on('exit', (code) => this.ended || fail(`the server ended with ${code}`));
  }

  take(bytes) {
    this.rest = Buffer.concat([this.rest, bytes]);
    for (;;) {
      const head = this.rest.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/content-length: *(\d+)/i.exec(this.rest.subarray(0, head).toString())[1]);
      if (this.rest.length < head + 4 + length) return;
      const message = JSON.parse(this.rest.subarray(head + 4, head + 4 + length).toString());
      this.rest = this.rest.subarray(head + 4 + length);
      this.answer(message);
    }
  }

  answer(message) {
    if (message.method === 'workspace/configuration') {
      return this.write({ id: message.id, result: message.params.items.map((item) => this.settings[item.section] ?? null) });
    }
    if (message.method === 'textDocument/publishDiagnostics') {
      const { uri, diagnostics } = message.params;
      this.diagnostics.set(uri, diagnostics);
      return this.waiting.get(uri)?.(diagnostics);
    }
    if (message.method && message.id !== undefined) return this.write({ id: message.id, result: null });
    if (message.id !== undefined && this.questions.has(message.id)) {
      const { resolve, reject } = this.questions.get(message.id);
      this.questions.delete(message.id);
      return message.error ? reject(new Error(message.error.message)) : resolve(message.result);
    }
    return undefined;
  }

  write(message) {
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }));
    this.process.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    this.process.stdin.write(body);
  }

  tell(method, params) {
    this.write({ method, params });
  }

  ask(method, params) {
    const id = this.next++;
    return within(method, new Promise((resolve, reject) => {
      this.questions.set(id, { resolve, reject });
      this.write({ id, method, params });
    }));
  }

  // Opens a text under the name of a file and waits for what the server says of it.
  open(file, text) {
    const uri = pathToFileURL(path.resolve(file)).href;
    const said = new Promise((resolve) => this.waiting.set(uri, resolve));
    this.tell('textDocument/didOpen', { textDocument: { uri, languageId: 'yaml', version: 1, text } });
    return within(`diagnostics of ${file}`, said).then((diagnostics) => ({ uri, diagnostics }));
  }
}

function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE_MS} ms: ${what}`)), PATIENCE_MS); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function fail(message) {
  console.error(`language server: ${message}`);
  process.exit(1);
}

function expect(condition, message) {
  if (!condition) fail(message);
}

// The blocks of a document that are bench files, and those that are scenarios.
function blocks(file) {
  const all = fs.readFileSync(file, 'utf8').split('\n```yaml\n').slice(1).map((rest) => `${rest.split('\n```')[0]}\n`);
  return { bench: all.filter((text) => /^boards:/m.test(text)), scenario: all.filter((text) => /^scenario:/m.test(text)) };
}

// Mistakes, each with the line (from 0) that it must be shown in.
const MISTAKES = [
  ['scenario', 'format: 1\nscenario: a\nsteps:\n  - reset: { pulse: 15 ms }\n  - exepct: { text: OK, within: 1 s }\n', 4],
  ['scenario', 'format: 1\nscenario: a\nsteps:\n  - expect:\n      text: OK\n      witin: 1 s\n', 5],
  ['scenario', 'format: 1\nscenario: a\nsteps:\n  - wait: 300 ms\n  - wait: 300\n', 4],
  ['scenario', 'format: 1\nscenario: a\nsteps:\n  - at:\n      command: AT\n      within: 2 sec\n', 5],
  ['scenario', 'format: 1\nscenario: a\neffects: [speeds]\nsteps:\n  - restore:\n', 2],
  ['scenario', 'format: 1\nscenario: a\nvirtual: { boot-windw: 20 ms }\nsteps:\n  - restore:\n', 2],
  ['fragment', 'format: 1\nfragment: a\nparameters: { time: }\nsteps:\n  - wiat: $time\n', 4],
  ['bench', 'format: 1\nboards:\n  kit-1:\n    port: /dev/ttyUSB0\n    bauds: 9600\n    reset: { gpio: 17 }\n', 4],
  ['bench', 'format: 1\nboards:\n  kit-1:\n    port: /dev/ttyUSB0\n    reset: { gpio: 17, drive: pushpull }\n', 4],
];

async function main() {
  const schema = (kind) => pathToFileURL(path.resolve('docs/schema', `${kind}.schema.json`)).href;
  const settings = {
    yaml: {
      validate: true, hover: true, completion: true, schemaStore: { enable: false, url: '' },
      schemas: { [schema('scenario')]: ['/**/scenarios/*.yaml', '/**/*.scenario.yaml'], [schema('bench')]: ['/**/*.bench.yaml'], [schema('fragment')]: ['/**/fragments/*.yaml', '/**/examples/*.yaml', '/**/*.fragment.yaml'] },
    },
  };
  const server = new Server(path.join(process.argv[2], 'yaml-language-server/bin/yaml-language-server'), settings);
  const root = pathToFileURL(process.cwd()).href;
  const capabilities = { workspace: { configuration: true }, textDocument: { hover: { contentFormat: ['markdown'] }, completion: { completionItem: { snippetSupport: true } } } };
  await server.ask('initialize', { processId: process.pid, rootUri: root, capabilities, workspaceFolders: [{ uri: root, name: 'root' }] });
  server.tell('initialized', {});
  server.tell('workspace/didChangeConfiguration', { settings });

  let sound = 0;
  const nothingWrong = async (name, text) => {
    const { diagnostics } = await server.open(name, text);
    const shown = diagnostics.map((d) => `  line ${d.range.start.line + 1}: ${d.message}`).join('\n');
    expect(diagnostics.length === 0, `${name} is shown with mistakes:\n${shown}\n${text}`);
    sound += 1;
  };
  for (const folder of ['scenarios', 'fixtures/fragments', 'docs/examples']) {
    for (const name of fs.readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
      await nothingWrong(`${folder}/${name}`, fs.readFileSync(`${folder}/${name}`, 'utf8'));
    }
  }
  for (const file of ['README.md', 'docs/scenarios.md', 'docs/bench.md']) {
    for (const [kind, texts] of Object.entries(blocks(file))) {
      for (const [index, text] of texts.entries()) await nothingWrong(`target/${path.basename(file)}-${index}.${kind}.yaml`, text);
    }
  }
  expect(sound >= 20, `only ${sound} sound files were found`);

  for (const [index, [kind, text, line]] of MISTAKES.entries()) {
    const { diagnostics } = await server.open(`target/mistake-${index}.${kind}.yaml`, text);
    const lines = diagnostics.map((d) => d.range.start.line);
    expect(lines.includes(line), `a mistake in line ${line + 1} is not shown, but ${JSON.stringify(diagnostics.map((d) => [d.range.start.line + 1, d.message]))}:\n${text}`);
  }

  // The schema by the file's own first line, as docs/scenarios.md says.
  const modeline = `# yaml-language-server: $schema=${path.resolve('docs/schema/scenario.schema.json')}\nformat: 1\nscenario: a\nsteps:\n  - rset: { pulse: 15 ms }\n`;
  const { diagnostics } = await server.open('target/modeline.yaml', modeline);
  expect(diagnostics.some((d) => d.range.start.line === 4), 'the first line of a file does not name its schema');

  const committed = JSON.parse(fs.readFileSync('docs/schema/scenario.schema.json', 'utf8'));
  const verbs = committed.definitions.Verb.oneOf.flatMap((variant) => Object.keys(variant.properties));
  const offered = async (name, text, line, character) => {
    const { uri } = await server.open(name, text);
    const answer = await server.ask('textDocument/completion', { textDocument: { uri }, position: { line, character } });
    return (answer.items ?? answer).map((item) => item.label);
  };
  const step = await offered('target/completion.scenario.yaml', 'format: 1\nscenario: a\nsteps:\n  - wait: 1 s\n  - \n', 4, 4);
  const missing = verbs.filter((verb) => !step.includes(verb));
  expect(verbs.length >= 12 && missing.length === 0, `verbs that are not offered: ${missing}; offered: ${step}`);
  const words = await offered('target/words.scenario.yaml', 'format: 1\nscenario: a\neffects:\n  - \nsteps:\n  - wait: 1 s\n', 3, 4);
  expect(words.includes('downgrade-attempt'), `effects that are offered: ${words}`);

  const hover = async (name, text, line, character) => {
    const { uri } = await server.open(name, text);
    const answer = await server.ask('textDocument/hover', { textDocument: { uri }, position: { line, character } });
    return typeof answer?.contents === 'string' ? answer.contents : answer?.contents?.value ?? '';
  };
  const plain = (text) => text.replace(/\\(.)/g, '$1');
  const text = 'format: 1\nscenario: a\nsteps:\n  - expect:\n      text: OK\n      within: 1 s\n  - reset: { pulse: 15 ms }\n';
  for (const [line, character, description] of [
    [2, 2, committed.properties.steps.description],
    [3, 6, committed.definitions.Verb.oneOf.find((variant) => variant.properties.expect).description],
    [5, 8, committed.definitions.ExpectMap.properties.within.description],
    [6, 14, committed.definitions.ResetMap.properties.pulse.description],
  ]) {
    const shown = plain(await hover(`target/hover-${line}.scenario.yaml`, text, line, character));
    expect(shown.includes(description), `over line ${line + 1} is shown ${JSON.stringify(shown)}, not ${JSON.stringify(description)}`);
  }

  console.log(`language server: ${sound} sound files, ${MISTAKES.length + 1} mistakes shown, ${verbs.length} verbs offered`);
  server.ended = true;
  await server.ask('shutdown', null);
  server.tell('exit', null);
}

main().catch((error) => fail(error.message));
