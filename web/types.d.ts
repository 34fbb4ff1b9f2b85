/** The shapes that the server sends, as these modules read them. Money is dollars, quantities contracts, times Unix seconds. */

export type Mode = 'live' | 'demo' | 'paper';

export interface Trade {
  seq: number; timestamp: number; ticker: string; side: 'BUY' | 'SELL'; quantity: number; price: number;
  trade_id: string; outcome: 'yes' | 'no'; fee: number | null; order_id: string | null;
  origin: 'bot' | 'account'; mode: Mode; source: string;
  strategy?: string; is_taker?: boolean; mid?: number; decided_at?: number; sent_at?: number; acknowledged_at?: number;
}

/** A trade whose content was reported anew; `corrects` is the seq of the trade. Quantity 0: the trade is void. */
export interface Correction extends Trade { corrects: number; }

/** A market that paid. `fee` is the exchange's total of fees of that market, which its trades may have reported already. */
export interface Settlement {
  seq: number; timestamp: number; ticker: string; event_ticker: string; result: string; value: number | null;
  yes_quantity: number; no_quantity: number; revenue: number; fee: number | null; mode: Mode; source: string;
}

/** A deposit or a withdrawal; amount is above zero. */
export interface Transfer {
  seq: number; timestamp: number; transfer_id: string; direction: 'deposit' | 'withdrawal'; amount: number; fee: number | null;
  status: string; mode: Mode; source: string;
}

/** Trades between two times that may be missing in the journal itself. */
export interface Gap { seq: number; timestamp: number; from: number; to: number; why: string; source: string; }

export interface Opening { ticker: string; quantity: number; cost: number; realized_pnl?: number | null; fees?: number | null; }

/** Positions found at the first start. */
export interface Baseline { seq: number; timestamp: number; positions: Opening[]; mode: Mode; source: string; balance?: number | null; }

export type Entry = Trade | Correction | Settlement | Transfer | Gap | Baseline;

export type Activity = 'trading' | 'paused' | 'halted' | 'refused' | 'stopped' | 'other';

export interface BotStatus {
  status: 'online' | 'offline' | 'stalled'; activity: Activity | null; since: number | null; mode: Mode | null;
  reason: string | null; trades: number | null;
}

/** A place in the journal: `<epoch>-<seq>` or `<epoch>-<seq>-<check>` as text. */
export interface Cursor { epoch: string; seq: number; check?: string; }

/** One message of the stream as it arrived. */
export interface Message { name: string; data: string; id: string; }

export type State = 'starting' | 'connecting' | 'live' | 'waiting' | 'closed';

/** How current this page is. complete: every entry up to `cursor` was emitted, and no later one is known. */
export interface Freshness {
  state: State; cursor: string | null; seq: number; complete: boolean; leader: boolean; received: number; retry: number;
}

/** The events of a stream, by name. */
export interface Events {
  state: { trades: Trade[]; cursor: string };
  entry: Entry;
  trades: { trades: Trade[]; count: number; source: string };
  correction: Correction;
  settlement: Settlement;
  transfer: Transfer;
  baseline: Baseline;
  gap: Gap;
  status: BotStatus;
  heartbeat: { timestamp: number; head: string | null };
  reset: { reason: string; head: string | null };
  freshness: Freshness;
  error: { reason: 'connection' | 'load' | 'message' | 'missing' | 'full'; message: string; retry: number };
}

/** One market of a book in exact decimal text. */
export interface Position {
  ticker: string; quantity: string; outcome: 'yes' | 'no' | null; cost: string; average_price: string | null;
  mark: string | null; value: string | null; unrealized_pnl: string | null; realized_pnl: string; fees: string;
  trades: number; fees_unknown: number; last: number;
}

/** The sums of positions; null where a part of the sum is unknown. */
export interface Totals {
  cost: string; value: string | null; unrealized_pnl: string | null; realized_pnl: string; fees: string; net: string | null;
  trades: number; fees_unknown: number; open: number; unmarked: number;
}
