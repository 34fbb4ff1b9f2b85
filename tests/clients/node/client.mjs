// node client.mjs PACKAGE URL: prints every event as a line of JSON; the package reconnects by itself.
import { createRequire } from 'node:module';

const [name, url] = process.argv.slice(2);
setInterval(() => {}, 60_000); // undici lets Node exit while it waits to reconnect
const require = createRequire(import.meta.url);
const NAMES = ['new_trades', 'correction', 'settlement', 'transfer', 'gap', 'baseline', 'reset', 'bot_status', 'heartbeat', 'bye'];
const print = (event) => process.stdout.write(`${JSON.stringify({ event: event.event ?? event.type, id: event.id ?? event.lastEventId ?? '', data: event.data })}\n`);

if (name === 'eventsource-client') {
  const { createEventSource } = require('eventsource-client');
  createEventSource({ url, onMessage: print });
} else {
  const EventSource = { eventsource2: () => require('eventsource2'), eventsource4: () => require('eventsource4').EventSource,
    'launchdarkly-eventsource': () => require('launchdarkly-eventsource').EventSource, undici: () => require('undici').EventSource }[name]();
  const source = new EventSource(url);
  for (const each of NAMES) source.addEventListener(each, print);
  source.onerror = () => {}; // each of them retries
}
