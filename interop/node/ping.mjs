// Runs a nekton guest under Node.js and pings the node in it: a host written from the package comment of
// codec/abi and from docs/PROTOCOL.md alone. Usage: node ping.mjs bin/nekton.wasm
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const VERSION = 1;
const WAKE = 0, DATAGRAM = 1, STORED = 7; // input kinds
const SEND = 1, APPEND = 6; // effect kinds
const NEVER = 0x7fffffffffffffffn;

const fail = (what) => {
  console.error(what);
  process.exit(1);
};

// What Node-API offers a reactor: the runtime's own needs, nothing to open.
const wasi = new WASI({ version: "preview1", args: [], env: {}, preopens: {} });
const module = await WebAssembly.compile(await readFile(process.argv[2] ?? fail("usage: node ping.mjs GUEST")));
for (const i of WebAssembly.Module.imports(module)) {
  if (i.module !== "wasi_snapshot_preview1") fail(`the guest imports ${i.module}.${i.name}`);
}
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
wasi.initialize(instance);
const guest = instance.exports;
if (guest.nekton_abi() !== VERSION) fail(`the guest speaks version ${guest.nekton_abi()}, not ${VERSION}`);

// write puts a record into the guest's input buffer; the memory may have moved since the last call.
const write = (record) => {
  new Uint8Array(guest.memory.buffer, guest.nekton_inbuf(record.length) >>> 0).set(record);
  return record.length;
};

// view is what lies at a span of the guest's memory.
const view = (span) => {
  if (span === 0n) fail("the guest knows no such node");
  const at = Number(BigInt.asUintN(64, span) >> 32n), size = Number(span & 0xffffffffn);
  return new DataView(guest.memory.buffer, at, size);
};

// cbor writes the few kinds of values that a node config needs, all shorter than 24.
const cbor = (v) => {
  const head = (major, n) => [(major << 5) | n];
  if (typeof v === "string") return [...head(3, v.length), ...new TextEncoder().encode(v)];
  if (v instanceof Uint8Array) return [...head(2, v.length), ...v];
  return [...head(5, Object.keys(v).length), ...Object.entries(v).flatMap(([k, e]) => [...cbor(k), ...cbor(e)])];
};

const made = view(guest.nekton_new(write(new Uint8Array(cbor({
  Swim: { Name: "b", Addr: new Uint8Array([10, 0, 0, 2, 0x0a, 0x1f]) }, // 10.0.0.2, port 7946 little-endian
})))));
const node = made.getUint32(0, true);
if (node === 0) fail(new TextDecoder().decode(new Uint8Array(made.buffer, made.byteOffset + 4, made.byteLength - 4)));

// step gives the node one input and returns its effects.
const step = (now, { kind, from = [0, 0, 0, 0], port = 0, token = 0n, data = [] }) => {
  const record = new Uint8Array(72 + data.length), fields = new DataView(record.buffer);
  record[0] = kind;
  if (port !== 0) {
    record[3] = 4; // IPv4, in the last four of the address's bytes
    fields.setUint16(4, port, true);
    record.set([0xff, 0xff, ...from], 18);
  }
  fields.setBigUint64(32, token, true);
  fields.setUint32(68, data.length, true);
  record.set(data, 72);
  const out = view(guest.nekton_step(node, now, write(record)));
  const effects = [];
  for (let at = 16, n = out.getUint32(8, true); n > 0; n--) {
    const zone = out.getUint8(at + 3), size = out.getUint32(at + 40, true), body = at + 48 + zone;
    effects.push({
      kind: out.getUint8(at),
      port: out.getUint16(at + 4, true),
      to: [...new Uint8Array(out.buffer, out.byteOffset + at + 20, 4)].join("."),
      token: out.getBigUint64(at + 32, true),
      body: Buffer.from(new Uint8Array(out.buffer, out.byteOffset + body, size)).toString("hex"),
    });
    at = body + size;
  }
  return { effects, deadline: out.getBigInt64(0, true) };
};

let { effects, deadline } = step(1n, { kind: WAKE });
for (const e of effects.filter((e) => e.kind === APPEND)) {
  ({ deadline } = step(1n, { kind: STORED, token: e.token }));
}
if (deadline === NEVER) fail("the node waits for nothing: it has not started");

const ping = Buffer.from("8501076162" + "40" + "60", "hex"); // [1, 7, "b", h'', ""]
const answer = step(2n, { kind: DATAGRAM, from: [10, 0, 0, 1], port: 7946, data: ping }).effects
  .find((e) => e.kind === SEND);
if (answer?.to !== "10.0.0.1" || answer.port !== 7946 || !answer.body.startsWith("83020740")) {
  fail(`no ack: ${JSON.stringify(answer)}`);
}
guest.nekton_free(node);
console.log(`node ${process.version}: ping 7 answered by ack 7 to ${answer.to}:${answer.port}`);
