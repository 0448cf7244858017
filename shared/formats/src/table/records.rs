//! One record after the other, out of a decoded text.

use std::borrow::Cow;

/// Most columns of a table.
pub const MAX_COLUMNS: usize = 64;
/// Longest record in bytes, its line break aside; it may go over several lines.
pub const MAX_RECORD_BYTES: usize = 64 * 1024;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// What separates cells.
    pub delimiter: u8,
    /// Whether quotes around a cell are no part of it, as CSV has it.
    pub quoting: bool,
    /// Where they are: whether a cell that was quoted all the same is unquoted.
    pub unescapes: bool,
}

impl Dialect {
    pub(super) const fn quoted(delimiter: u8) -> Self {
        Self {
            delimiter,
            quoting: true,
            unescapes: false,
        }
    }

    pub(super) const fn plain(delimiter: u8) -> Self {
        Self {
            delimiter,
            quoting: false,
            unescapes: true,
        }
    }
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// Line it begins on, from 1.
    pub line: u64,
    /// Its cells, quotes taken off.
    pub cells: Vec<Cow<'a, str>>,
    /// Whether quotes in a cell are not those of CSV, which doubles them: it was read as its
    /// writer seems to have meant it.
    pub is_loose: bool,
    /// Where quotes hold line breaks together: the line on which the first such cell begins, and
    /// the last line of the record.
    pub over: Option<(u64, u64)>,
}

/// Why a record can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordError {
    /// Longer than [`MAX_RECORD_BYTES`], on one line; the next record can be read.
    TooLong {
        /// Line, from 1.
        line: u64,
    },
    /// A quote that is not closed: where the next record begins is not known.
    Open {
        /// Line the quote stands on, from 1.
        line: u64,
        /// Lines behind it that are not read, blank ones left out.
        behind: u64,
    },
    /// A quote that meets the next one lines below, in the middle of a text: what is between
    /// them are other records.
    Stray {
        /// Line the quote stands on, from 1.
        line: u64,
        /// Last line that is not read.
        last: u64,
    },
}

impl RecordError {
    /// Line where it is, from 1.
    #[must_use]
    pub const fn line(self) -> u64 {
        match self {
            Self::TooLong { line } | Self::Open { line, .. } | Self::Stray { line, .. } => line,
        }
    }
}

/// The delimiter that Excel is told of by a first line `sep=;`, which is no row, and where the
/// next line begins.
pub(super) fn delimiter_named(text: &str) -> Option<(u8, usize)> {
    let end = text.find('\n')?;
    let line = text.get(..end)?.trim_end_matches('\r');
    match line.strip_prefix("sep=")?.as_bytes() {
        &[named] if super::DELIMITERS.contains(&named) => Some((named, end + 1)),
        _ => None,
    }
}

/// Records of a text, blank lines left out.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    text: &'a str,
    dialect: Dialect,
    at: usize,
    line: u64,
    over: bool,
}

impl<'a> Records<'a> {
    /// Records of a text whose lines end in LF.
    #[must_use]
    pub fn new(text: &'a str, dialect: Dialect) -> Self {
        let named = delimiter_named(text);
        Self {
            text,
            dialect,
            at: named.map_or(0, |(_, behind)| behind),
            line: 1 + u64::from(named.is_some()),
            over: false,
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn next_line(&mut self) -> &'a str {
        let rest = self.rest();
        let (line, used) = match rest.find('\n') {
            Some(end) => (&rest[..end], end + 1),
            None => (rest, rest.len()),
        };
        self.at += used;
        self.line += 1;
        line
    }

    fn plain(&mut self, line: u64) -> Result<Record<'a>, RecordError> {
        let text = self.next_line();
        if text.len() > MAX_RECORD_BYTES {
            return Err(RecordError::TooLong { line });
        }
        let delimiter = char::from(self.dialect.delimiter);
        let cells = text.split(delimiter).map(|cell| {
            if self.dialect.unescapes {
                unescaped(cell)
            } else {
                Cow::Borrowed(cell)
            }
        });
        Ok(Record {
            line,
            cells: cells.collect(),
            is_loose: false,
            over: None,
        })
    }

    fn quoted(&mut self, line: u64) -> Result<Record<'a>, RecordError> {
        let rest = self.rest();
        let mut cells = Vec::new();
        let mut at = 0;
        let (mut is_loose, mut over, mut stray) = (false, None, None);
        let mut here = line;
        loop {
            let Some((cell, used, strict)) = one_cell(&rest[at..], self.dialect.delimiter) else {
                self.over = true;
                let behind = rest[at..].split('\n').skip(1);
                let behind = behind.filter(|line| !line.trim().is_empty()).count() as u64;
                return Err(RecordError::Open { line: here, behind });
            };
            is_loose |= !strict;
            let breaks = breaks(&rest[at..at + used]);
            if breaks > 0 {
                over.get_or_insert(here);
                if !strict {
                    stray.get_or_insert(here);
                }
            }
            here += breaks;
            cells.push(cell);
            at += used;
            match rest.as_bytes().get(at) {
                Some(b'\n') | None => break,
                Some(_) => at += 1,
            }
        }
        let record = &rest[..at];
        self.line = here + 1;
        self.at += (at + 1).min(rest.len());
        if record.len() > MAX_RECORD_BYTES {
            return Err(RecordError::TooLong { line });
        }
        if let Some(line) = stray {
            return Err(RecordError::Stray { line, last: here });
        }
        Ok(Record {
            line,
            cells,
            is_loose,
            over: over.map(|first| (first, here)),
        })
    }
}

fn breaks(text: &str) -> u64 {
    text.bytes().filter(|b| *b == b'\n').count() as u64
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.rest().starts_with('\n') {
            self.at += 1;
            self.line += 1;
        }
        if self.over || self.rest().is_empty() {
            return None;
        }
        let line = self.line;
        Some(if self.dialect.quoting {
            self.quoted(line)
        } else {
            self.plain(line)
        })
    }
}

/// The cell that a text begins with, how many bytes it takes, and whether its quotes are those
/// of CSV; `None` for a quote that is not closed within the bound.
fn one_cell(text: &str, delimiter: u8) -> Option<(Cow<'_, str>, usize, bool)> {
    let ends = |b: &u8| *b == delimiter || *b == b'\n';
    let until = |from: usize| {
        let found = text.as_bytes()[from..].iter().position(&ends);
        found.map_or(text.len(), |n| from + n)
    };
    let Some(inside) = text.strip_prefix('"') else {
        let end = until(0);
        return Some((Cow::Borrowed(&text[..end]), end, true));
    };
    let mut from = 0;
    let mut doubled = false;
    let close = loop {
        let quote = from + inside.as_bytes()[from..].iter().position(|b| *b == b'"')?;
        if quote > MAX_RECORD_BYTES {
            return None;
        }
        if inside.as_bytes().get(quote + 1) != Some(&b'"') {
            break quote;
        }
        doubled = true;
        from = quote + 2;
    };
    let body = &inside[..close];
    let body = if doubled {
        Cow::Owned(body.replace("\"\"", "\""))
    } else {
        Cow::Borrowed(body)
    };
    let end = until(close + 2);
    let tail = &text[close + 2..end];
    if tail.trim_ascii().is_empty() {
        return Some((body, end, true));
    }
    // No writer of CSV wrote this. A script put quotes around a text that has some, or none
    // around one that begins with them: either way all of them belong to the text.
    let whole = match tail.strip_suffix('"') {
        Some(_) => &text[1..end - 1],
        None => &text[..end],
    };
    Some((Cow::Borrowed(whole), end, false))
}

/// A cell of a table that is not quoted as a whole, but where a writer of CSV quoted
/// it all the same: quotes around it, each quote inside doubled, at least one there.
fn unescaped(cell: &str) -> Cow<'_, str> {
    let inside = cell
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match inside {
        Some(inside) if inside.contains("\"\"") => {
            let single = inside.replace("\"\"", "");
            if single.contains('"') {
                Cow::Borrowed(cell)
            } else {
                Cow::Owned(inside.replace("\"\"", "\""))
            }
        }
        _ => Cow::Borrowed(cell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMA: Dialect = Dialect {
        delimiter: b',',
        quoting: true,
        unescapes: false,
    };
    const TAB: Dialect = Dialect {
        delimiter: b'\t',
        quoting: false,
        unescapes: true,
    };

    fn all(text: &str, dialect: Dialect) -> Vec<(u64, Vec<String>)> {
        let records = Records::new(text, dialect);
        let plain = |record: Record<'_>| {
            let cells = record.cells.into_iter().map(Cow::into_owned);
            (record.line, cells.collect())
        };
        records.map(|record| plain(record.unwrap())).collect()
    }

    #[test]
    fn quoted_records_know_their_lines() {
        let text = "a,b\n\n\"x\ny\",\"say \"\"hi\"\"\"\nc,\"d\"e\n\"\",";
        let wanted: [(u64, [&str; 2]); 4] = [
            (1, ["a", "b"]),
            (3, ["x\ny", "say \"hi\""]),
            (5, ["c", "\"d\"e"]),
            (6, ["", ""]),
        ];
        let found = all(text, COMMA);
        assert_eq!(found.len(), wanted.len());
        for ((line, cells), (wanted_line, wanted_cells)) in found.iter().zip(wanted) {
            assert_eq!(
                (line, cells.as_slice()),
                (&wanted_line, &wanted_cells.map(String::from)[..])
            );
        }
    }

    #[test]
    fn quotes_that_are_not_doubled_stay() {
        let text = concat!(
            "1,\"He said \"hello\" to me\"\n",
            "2,\"धन्यवाद\" उसने कहा\n",
            "3,\"so \"\"it\"\" is\"\n",
            "\"4\",\"\"yes\" and \"no\"\"\n",
        );
        let records: Vec<_> = Records::new(text, COMMA).map(Result::unwrap).collect();
        let read = records.iter().map(|r| (&*r.cells[1], r.is_loose));
        let wanted = [
            ("He said \"hello\" to me", true),
            ("\"धन्यवाद\" उसने कहा", true),
            ("so \"it\" is", false),
            ("\"yes\" and \"no\"", true),
        ];
        assert_eq!(read.collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn a_quote_in_a_table_with_tabs_is_a_quote() {
        let text = "p\ts\n1\t\"धन्यवाद\" उसने\n2\t\"\"\"He lives,\"\" she said.\"\n3\t\"x";
        let cells: Vec<String> = all(text, TAB)
            .into_iter()
            .map(|(_, mut c)| c.remove(1))
            .collect();
        assert_eq!(
            cells,
            ["s", "\"धन्यवाद\" उसने", "\"He lives,\" she said.", "\"x"]
        );
    }

    #[test]
    fn records_are_bounded() {
        let long = format!("a\n{}\nb\n", "x".repeat(MAX_RECORD_BYTES + 1));
        for dialect in [COMMA, TAB] {
            let kinds: Vec<_> = Records::new(&long, dialect)
                .map(|r| r.map(|r| r.line))
                .collect();
            assert_eq!(kinds, [Ok(1), Err(RecordError::TooLong { line: 2 }), Ok(3)]);
        }
        let open = format!("a\n\"{}", "x\n".repeat(MAX_RECORD_BYTES));
        let found: Vec<_> = Records::new(&open, COMMA).collect();
        assert_eq!(found.len(), 2);
        let behind = MAX_RECORD_BYTES as u64 - 1;
        assert_eq!(found[1], Err(RecordError::Open { line: 2, behind }));
    }

    #[test]
    fn a_quote_that_is_not_closed_is_told_with_its_line_and_what_it_takes_along() {
        let kinds = |text| -> Vec<_> {
            let of =
                |record: Result<Record<'_>, _>| record.map(|record| (record.line, record.over));
            Records::new(text, COMMA).map(of).collect()
        };
        let open = kinds("a,b\n1,\"x\ny\",\"z\n\n2,x\n3,y\n");
        let told = RecordError::Open { line: 3, behind: 2 };
        assert_eq!(open, [Ok((1, None)), Err(told)]);
        let stray = kinds("1,a\n2,\"b,b\n3,c\n4,\"d\n5,e\n6,\"f\ng\"\n");
        let told = RecordError::Stray { line: 2, last: 4 };
        assert_eq!(
            stray,
            [
                Ok((1, None)),
                Err(told),
                Ok((5, None)),
                Ok((6, Some((6, 7))))
            ]
        );
    }
}
