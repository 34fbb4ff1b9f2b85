/** The shapes that the server sends, as the modules here read them. Money is dollars, quantity contracts, time Unix seconds. */

export type Mode = 'live' | 'demo' | 'paper';

export interface Trade {
  seq: number; timestamp: number; ticker: string; side: 'BUY' | 'SELL'; quantity: number; price: number;
  trade_id: string; outcome: 'yes' | 'no'; fee: number | null; order_id: string | null;
  origin: 'bot' | 'account'; mode: Mode; source: string;
}

export interface Settlement {
  seq: number; timestamp: number; ticker: string; event_ticker: string; result: string; value: number;
  yes_quantity: number; no_quantity: number; revenue: number; fee: number; mode: Mode; source: string;
}

export interface Gap { seq: number; timestamp: number; from: number; to: number; why: string; source: string; }

export interface Opening { ticker: string; quantity: number; cost: number; realized_pnl?: number | null; fees?: number | null; }

export interface Baseline { seq: number; timestamp: number; positions: Opening[]; mode: Mode; source: string; }

export type Entry = Trade | Settlement | Gap | Baseline;

export interface BotStatus {
  status: 'online' | 'offline' | 'stalled'; since: number | null; mode: Mode | null; reason: string | null; trades: number | null;
}

/** A place in the journal: `<epoch>-<seq>` as text. */
export interface Cursor { epoch: string; seq: number; }

/** One message of the stream as it came over the wire. */
export interface Message { name: string; data: string; id: string; }

export type State = 'starting' | 'connecting' | 'live' | 'waiting' | 'silent' | 'closed';

/** How current this reader is. complete: every entry up to `cursor` has been seen, and no later one is known. */
export interface Freshness {
  state: State; cursor: string | null; seq: number; complete: boolean; leader: boolean; heard: number; retry: number;
}

/** What a stream tells its listeners, by event name. */
export interface Events {
  state: { trades: Trade[]; cursor: string };
  entry: Entry;
  trades: { trades: Trade[]; count: number; source: string };
  settlement: Settlement;
  baseline: Baseline;
  gap: { from: number; to: number; why: string; seq?: number; source?: string };
  status: BotStatus;
  reset: { reason: string; head: string | null };
  freshness: Freshness;
  error: { reason: 'connection' | 'load' | 'message' | 'hole' | 'full'; message: string; retry: number };
}

/** One row of the book: exact decimal text, so that nothing is rounded on the way. */
export interface Position {
  ticker: string; quantity: string; outcome: 'yes' | 'no' | null; cost: string; average_price: string | null;
  mark: string | null; value: string | null; unrealized_pnl: string | null; realized_pnl: string; fees: string;
  trades: number; fees_unknown: number; last: number;
}

export interface Totals {
  cost: string; value: string; unrealized_pnl: string; realized_pnl: string; fees: string; net: string;
  trades: number; fees_unknown: number; open: number; unmarked: number;
}
