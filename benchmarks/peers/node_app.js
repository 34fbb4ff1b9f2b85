// Node's http module: a set of responses, each event encoded once, written to each.
const http = require('http');
const clients = new Set();
let seq = 0;

function publish() {
  seq += 1;
  const trade = {
    seq, timestamp: Date.now() / 1000, ticker: 'PRES24-GOP', side: 'BUY', quantity: 50, price: 0.65, trade_id: `t${seq}`,
    outcome: 'yes', fee: 0.0175, order_id: null, origin: 'bot', mode: 'live', source: 'bot_live',
  };
  const data = JSON.stringify({ trades: [trade], count: 1, source: 'bot_live' });
  const event = `event: new_trades\nid: ${seq}\ndata: ${data}\n\n`;
  for (const client of clients) client.write(event);
}

http.createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname === '/burst') {
    const gap = Number(url.searchParams.get('gap') || 0) * 1000;
    let left = Number(url.searchParams.get('events'));
    const step = () => {
      if (left-- <= 0) return response.end('{}');
      publish();
      setTimeout(step, gap);
    };
    if (gap) step(); else { while (left-- > 0) publish(); response.end('{}'); }
    return;
  }
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.write(':\n\n');
  clients.add(response);
  request.on('close', () => clients.delete(response));
}).listen(Number(process.argv[2]), '127.0.0.1');
