//! Cells of a table in one piece of memory: a file has millions of them, and a text of its own for
//! each would take many times what the file has.

use serde_json::Value;

use crate::json::{self, weight_of};
use crate::problem::{Code, Problem, grouped};

/// Most that the rows of a file take while they are read, in bytes, by what is estimated here:
/// with the file and all else it is less than 256 MiB, and is judged within two seconds.
const MOST: usize = 168 << 20;
/// A row, as it is read and as it is judged.
const ROW: usize = 640;
/// A cell, of which its row keeps what it is called.
const CELL: usize = 32;
/// How often a text is there at a time: here, and where it is judged.
const COPIES: usize = 2;

/// A cell of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    /// Of a table of text.
    Plain(&'a str),
    /// A text of JSON.
    Said(&'a str),
    /// Anything else of JSON.
    Value(&'a Value),
}

/// Where a cell is.
#[derive(Debug, Clone, Copy)]
enum Slot {
    Absent,
    /// In the text, from one byte to another.
    Text(u32, u32),
    /// Among the values.
    Value(u32),
}

/// Rows of cells with their lines.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    /// Line of each row, and where its cells begin.
    rows: Vec<(u64, u32)>,
    slots: Vec<Slot>,
    text: String,
    values: Vec<Value>,
    /// Whether texts are of JSON, which tells those that are empty from those that are not there.
    is_json: bool,
    room: usize,
}

/// Files have far less than 4 GiB.
fn short(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

impl Grid {
    /// Rows of JSON.
    pub(super) fn of_json() -> Self {
        Self {
            is_json: true,
            ..Self::default()
        }
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The line of a row.
    pub(crate) fn line(&self, row: usize) -> Option<u64> {
        Some(self.rows.get(row)?.0)
    }

    /// The line of the last row.
    pub(crate) fn last_line(&self) -> Option<u64> {
        Some(self.rows.last()?.0)
    }

    fn slots(&self, row: usize) -> &[Slot] {
        let start = self.rows.get(row).map_or(0, |(_, start)| *start as usize);
        let behind = self.rows.get(row + 1);
        let end = behind.map_or(self.slots.len(), |(_, end)| *end as usize);
        self.slots.get(start..end).unwrap_or_default()
    }

    fn of_slot(&self, slot: Slot) -> Option<Cell<'_>> {
        match slot {
            Slot::Absent => None,
            Slot::Text(start, end) => {
                let text = self.text.get(start as usize..end as usize)?;
                Some(match self.is_json {
                    true => Cell::Said(text),
                    false => Cell::Plain(text),
                })
            }
            Slot::Value(at) => self.values.get(at as usize).map(Cell::Value),
        }
    }

    /// A cell; `None` where a row has none.
    pub(crate) fn cell(&self, row: usize, column: usize) -> Option<Cell<'_>> {
        self.of_slot(*self.slots(row).get(column)?)
    }

    /// The cells of a row.
    pub(crate) fn cells(&self, row: usize) -> impl Iterator<Item = Option<Cell<'_>>> {
        self.slots(row).iter().map(|slot| self.of_slot(*slot))
    }

    fn begin(&mut self, line: u64, file: &str) -> Result<(), Problem> {
        json::are_few(self.rows.len() + 1, file)?;
        self.rows.push((line, short(self.slots.len())));
        Ok(())
    }

    fn said(&mut self, text: &str) {
        let start = short(self.text.len());
        self.text.push_str(text);
        self.slots.push(Slot::Text(start, short(self.text.len())));
    }

    fn is_room(&mut self, cells: usize, more: usize, file: &str) -> Result<(), Problem> {
        self.room += ROW + cells * CELL + more;
        if self.room <= MOST {
            return Ok(());
        }
        let message = format!(
            "has more than is read at once: {} rows of up to {cells} cells with {} MiB of text, and \
             then more",
            grouped(self.rows.len() as u64),
            self.text.len() >> 20
        );
        let problem = Problem::new(Code::TooLarge, message).file(file);
        Err(problem.hint("split it, or leave out columns that are not needed"))
    }

    /// Puts a row of text behind the others.
    ///
    /// # Errors
    /// There are too many, or it is more than is read at once.
    pub(super) fn push<T: AsRef<str>>(
        &mut self,
        line: u64,
        cells: impl Iterator<Item = T>,
        file: &str,
    ) -> Result<(), Problem> {
        let (cells_before, text_before) = (self.slots.len(), self.text.len());
        self.begin(line, file)?;
        for cell in cells {
            self.said(cell.as_ref());
        }
        let texts = (self.text.len() - text_before) * COPIES;
        self.is_room(self.slots.len() - cells_before, texts, file)
    }

    /// Puts a row of values behind the others.
    ///
    /// # Errors
    /// As [`Grid::push`].
    pub(super) fn push_values(
        &mut self,
        line: u64,
        cells: impl Iterator<Item = Option<Value>>,
        file: &str,
    ) -> Result<(), Problem> {
        let (cells_before, text_before) = (self.slots.len(), self.text.len());
        self.begin(line, file)?;
        let mut weight = 0;
        for cell in cells {
            match cell {
                None => self.slots.push(Slot::Absent),
                Some(Value::String(text)) => self.said(&text),
                Some(value) => {
                    weight += weight_of(&value);
                    self.slots.push(Slot::Value(short(self.values.len())));
                    self.values.push(value);
                }
            }
        }
        let texts = (self.text.len() - text_before) * COPIES;
        self.is_room(self.slots.len() - cells_before, texts + weight, file)
    }

    /// Leaves out the first cell of each row.
    pub(super) fn without_first(&mut self) {
        let (mut slots, mut rows) = (Vec::with_capacity(self.slots.len()), Vec::new());
        for (row, (line, _)) in self.rows.iter().enumerate() {
            rows.push((*line, short(slots.len())));
            slots.extend(self.slots(row).iter().skip(1));
        }
        (self.slots, self.rows) = (slots, rows);
    }
}
