//! Table `units`: what is known of each item's paid request, and its answer.
//!
//! A request has a small item with its state, written before the request leaves
//! and after it came back; the answer lies beside it, in pieces, because an item
//! of DynamoDB may have 400 KB. The piece that says how many there are is written
//! last: an answer is there or not, and is there before the state says so.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use serde::Serialize;

use super::row::{self, Item, Row, s};
use super::txn::beside_transactions;
use super::{Store, StoreError};
use crate::domain::call::Call;
use crate::domain::unit::UnitKey;
use crate::domain::{ProjectId, RunId};

/// How the sort keys of states begin; see [`call_key`].
const CALL: &str = "call#";
/// How those of pieces of answers begin; see [`piece_key`].
const TEXT: &str = "text#";
/// Bytes of a piece: with its keys well below what an item may have.
const PIECE: usize = 256 * 1024;
/// Pieces that are read at once.
const PAGE: usize = 16;
/// Items that are deleted in one step.
const AT_ONCE: i32 = 500;

fn call_key(unit: UnitKey, position: u16) -> String {
    format!("{CALL}{unit}#{position:05}")
}

fn piece_key(unit: UnitKey, position: u16, piece: usize) -> String {
    format!("{TEXT}{unit}#{position:05}#{piece:04}")
}

fn partition(project: &ProjectId, run: RunId) -> String {
    format!("{project}#{run}")
}

impl Store {
    /// What is known of the requests for items of a unit; nothing of those that
    /// were never begun.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn calls(
        &self,
        project: &ProjectId,
        run: RunId,
        unit: UnitKey,
        positions: impl Iterator<Item = u16>,
    ) -> Result<Vec<Call>, StoreError> {
        let pk = partition(project, run);
        let keys = positions.map(|position| (pk.clone(), call_key(unit, position)));
        let items = self.get_many(&self.tables.units, keys).await?;
        items.into_iter().map(row::read).collect()
    }

    /// Writes a request's next revision.
    ///
    /// # Errors
    /// `Conflict` when another worker was faster.
    pub async fn save_call(&self, call: &Call) -> Result<(), StoreError> {
        let row = Row::new(
            partition(&call.project, call.run),
            call_key(call.unit, call.position),
            call,
        )?;
        self.put_rev(&self.tables.units, row.build(), call.rev)
            .await
    }

    /// Keeps the answer of a request: one line of output. May be repeated.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn save_answer(&self, call: &Call, line: &[u8]) -> Result<(), StoreError> {
        let pieces: Vec<&[u8]> = line.chunks(PIECE).collect();
        for (at, piece) in pieces.iter().enumerate().rev() {
            let record = Piece {
                pieces: (at == 0).then_some(pieces.len()),
            };
            let row = Row::new(
                partition(&call.project, call.run),
                piece_key(call.unit, call.position, at),
                &record,
            )?
            .with("line", AttributeValue::B(Blob::new(*piece)));
            let put = self
                .db
                .put_item()
                .table_name(&self.tables.units)
                .set_item(Some(row.build()));
            beside_transactions(|| put.clone().send()).await?;
        }
        Ok(())
    }

    /// Whether the answer of a request is kept.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn has_answer(&self, call: &Call) -> Result<bool, StoreError> {
        let key = piece_key(call.unit, call.position, 0);
        let found = self
            .get(&self.tables.units, partition(&call.project, call.run), key)
            .await?;
        Ok(found.is_some())
    }

    /// Answers of a unit's requests, a line each, in order of position: some of
    /// them, and where to go on; `None` after the last.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn some_answers(
        &self,
        project: &ProjectId,
        run: RunId,
        unit: UnitKey,
        from: AnswersFrom,
    ) -> Result<(Bytes, Option<AnswersFrom>), StoreError> {
        let (pk, first) = (partition(project, run), format!("{TEXT}{unit}#"));
        let last = format!("{first}~");
        let (range, after) = ((&*first, &*last), from.after.as_deref());
        let page = self
            .page(&self.tables.units, &pk, range, after, PAGE, false)
            .await?;
        let (text, missing) = lines(&page.items, from.missing);
        let next = page.next.map(|after| AnswersFrom {
            after: Some(after),
            missing,
        });
        Ok((text, next))
    }

    /// Removes what is known of all requests of a run, and their answers.
    ///
    /// # Errors
    /// `Unavailable`; then some are left, and it may be done again.
    pub async fn delete_calls(&self, project: &ProjectId, run: RunId) -> Result<(), StoreError> {
        let pk = partition(project, run);
        for prefix in [CALL, TEXT] {
            loop {
                let answer = self
                    .db
                    .query()
                    .table_name(&self.tables.units)
                    .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                    .projection_expression("sk")
                    .expression_attribute_values(":pk", s(&*pk))
                    .expression_attribute_values(":prefix", s(prefix))
                    .consistent_read(true)
                    .limit(AT_ONCE)
                    .send()
                    .await?;
                let items = answer.items.unwrap_or_default();
                let keys = items.iter().filter_map(|item| row::text(item, "sk"));
                let keys: Vec<_> = keys.map(|sk| (pk.clone(), sk.to_owned())).collect();
                let last = answer.last_evaluated_key.is_none_or(|key| key.is_empty());
                self.delete_many(&self.tables.units, keys).await?;
                if last {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// A piece of an answer beside its bytes, which are the attribute `line`. Older
/// pieces have no version of the layout, and are read all the same.
#[derive(Serialize)]
struct Piece {
    /// How many pieces the answer has; only in the first one.
    pieces: Option<usize>,
}

/// Where reading a unit's answers goes on; the default is their beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnswersFrom {
    after: Option<String>,
    /// Pieces of the present answer that are still to come.
    missing: u64,
}

/// Strings pieces together, with `missing` of the first answer still to come; gives
/// the text, and how many of the last one are.
fn lines(pieces: &[Item], mut missing: u64) -> (Bytes, u64) {
    let mut text = Vec::new();
    for piece in pieces {
        if let Some(all) = row::number(piece, "pieces") {
            missing = all;
        }
        // Without its first piece an answer was never whole.
        if missing == 0 {
            continue;
        }
        if let Some(AttributeValue::B(line)) = piece.get("line") {
            text.extend_from_slice(line.as_ref());
        }
        missing -= 1;
        if missing == 0 {
            text.push(b'\n');
        }
    }
    (text.into(), missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::row::n;

    #[test]
    fn pieces_of_an_answer_are_strung_together_with_and_without_a_version() {
        let with = |pieces, line: &str| {
            let row = Row::new("pk", "sk", &Piece { pieces }).unwrap();
            let row = row.with("line", AttributeValue::B(Blob::new(line)));
            row.build()
        };
        let without = |pieces: Option<usize>, line: &str| {
            let mut item = with(pieces, line);
            assert_eq!(item.remove("v"), Some(n(1)));
            item
        };
        let text = "first answer\nsecond\n";
        for piece in [&with as &dyn Fn(Option<usize>, &str) -> Item, &without] {
            let whole = [
                piece(Some(2), "first "),
                piece(None, "answer"),
                piece(Some(1), "second"),
            ];
            assert_eq!(lines(&whole, 0), (text.into(), 0));
            // A page may end within an answer.
            let (begun, missing) = lines(&whole[..1], 0);
            assert_eq!((&*begun, missing), (&b"first "[..], 1));
            let (rest, missing) = lines(&whole[1..], missing);
            assert_eq!((&*rest, missing), (&b"answer\nsecond\n"[..], 0));
            // Without its first piece an answer was never whole.
            assert_eq!(lines(&whole[1..], 0), ("second\n".into(), 0));
        }
    }
}
