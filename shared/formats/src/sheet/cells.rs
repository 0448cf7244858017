//! Cells of a sheet, row by row.

use super::dates::Dates;
use super::strings::{rich, unescaped};
use crate::files::{MAX_FILE_BYTES, MAX_FILES};
use crate::problem::{Code, Problem, counted};
use crate::table::MAX_COLUMNS;
use crate::xml::{Element, Piece, Pieces};

/// A sheet that was read.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    /// Number of each row that has something, as Excel counts, and its cells.
    pub(crate) rows: Vec<(u64, Vec<String>)>,
    /// What was left out, lost or taken for something.
    pub(crate) remarks: Vec<String>,
}

/// From here on a number has lost digits: Excel keeps 15.
const EXACT: f64 = 1e15;

/// What is told once for the whole sheet.
#[derive(Default)]
struct Odd {
    errors: usize,
    formulas: usize,
    dates: usize,
    rounded: usize,
}

/// Where a cell is, and how its value is meant.
struct Place {
    column: usize,
    kind: String,
    style: usize,
}

/// Reads the rows of a sheet that have something.
///
/// # Errors
/// It is no XML, has too many columns, refers to what is not there, or is too large.
pub(super) fn read(
    text: &str,
    part: &str,
    strings: &[String],
    dates: &Dates,
) -> Result<Sheet, Problem> {
    let mut sheet = Sheet::default();
    let mut odd = Odd::default();
    let mut pieces = Pieces::new(text, part);
    let (mut number, mut row): (u64, Vec<String>) = (0, Vec::new());
    // Texts that cells share may be short in the file and long here.
    let mut bytes = 0_usize;
    let mut next = 0;
    loop {
        match pieces.next()? {
            Piece::Begin(element) if element.is("row") => {
                let told = element.attribute("r").and_then(|r| r.parse().ok());
                number = told.unwrap_or(number.saturating_add(1));
                next = 0;
            }
            Piece::Begin(element) if element.is("c") => {
                let place = Place {
                    column: column_of(&element).unwrap_or(next),
                    kind: element.attribute("t").unwrap_or_default(),
                    style: element
                        .attribute("s")
                        .and_then(|s| s.parse().ok())
                        .unwrap_or_default(),
                };
                next = place.column.saturating_add(1);
                let value = value(&mut pieces, &place, strings, dates, &mut odd)?;
                if value.is_empty() {
                    continue;
                }
                if place.column >= MAX_COLUMNS {
                    let message = format!(
                        "row {number} has something in column {}; at most {MAX_COLUMNS} are read",
                        place.column.saturating_add(1)
                    );
                    return Err(Problem::new(Code::Malformed, message));
                }
                bytes = bytes.saturating_add(value.len());
                if bytes > MAX_FILE_BYTES {
                    let message = "has more than 64 MiB of texts";
                    return Err(Problem::new(Code::TooLarge, message).hint("take a part of it"));
                }
                if row.len() <= place.column {
                    row.resize(place.column + 1, String::new());
                }
                if let Some(cell) = row.get_mut(place.column) {
                    *cell = value;
                }
            }
            Piece::End(name) if name == "row" => {
                let cells = std::mem::take(&mut row);
                if !cells.is_empty() {
                    if sheet.rows.len() >= MAX_FILES {
                        let message = format!("has more than {MAX_FILES} rows");
                        return Err(Problem::new(Code::TooLarge, message).hint("take a part of it"));
                    }
                    sheet.rows.push((number, cells));
                }
            }
            Piece::Over => break,
            _ => {}
        }
    }
    sheet.remarks = odd.remarks();
    Ok(sheet)
}

impl Odd {
    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        let mut tell = |count: usize, one: &str, several: &str| {
            if count > 0 {
                remarks.push(counted(count, one, several));
            }
        };
        tell(
            self.errors,
            "cell holds an error like #REF! and is taken as empty",
            "cells hold an error like #REF! and are taken as empty",
        );
        tell(
            self.formulas,
            "cell is a formula whose value is not in the file, taken as empty: open and save it in \
             Excel",
            "cells are formulas whose value is not in the file, taken as empty: open and save it in \
             Excel",
        );
        tell(
            self.dates,
            "cell is a date; if a text like 1-2 was meant, the spreadsheet has changed it",
            "cells are dates; if a text like 1-2 was meant, the spreadsheet has changed it",
        );
        tell(
            self.rounded,
            "cell is a number of more than 15 digits: the spreadsheet has rounded it",
            "cells are numbers of more than 15 digits: the spreadsheet has rounded them",
        );
        remarks
    }
}

/// Column of a cell from 0 on, by the letters of its reference.
fn column_of(element: &Element<'_>) -> Option<usize> {
    let reference = element.attribute("r")?;
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic);
    let mut column = 0_usize;
    for letter in letters {
        let digit = usize::from(letter.to_ascii_uppercase() - b'A') + 1;
        column = column.checked_mul(26)?.checked_add(digit)?;
    }
    column.checked_sub(1)
}

/// The value of a cell, up to the end of its element.
fn value(
    pieces: &mut Pieces<'_>,
    place: &Place,
    strings: &[String],
    dates: &Dates,
    odd: &mut Odd,
) -> Result<String, Problem> {
    let (mut raw, mut inline) = (String::new(), None);
    let (mut in_value, mut formula) = (false, false);
    loop {
        match pieces.next()? {
            Piece::Begin(element) if element.is("is") => inline = Some(rich(pieces, "is")?),
            Piece::Begin(element) => {
                formula |= element.is("f");
                in_value = element.is("v");
            }
            Piece::Text(text) if in_value => raw += &text,
            Piece::Text(_) => {}
            Piece::End(name) if name == "c" => break,
            Piece::End(_) => in_value = false,
            Piece::Over => break,
        }
    }
    if let Some(text) = inline {
        return Ok(text);
    }
    match place.kind.as_str() {
        "s" => {
            if raw.is_empty() {
                return Ok(raw);
            }
            let text = raw
                .trim()
                .parse()
                .ok()
                .and_then(|at: usize| strings.get(at));
            text.cloned().ok_or_else(|| {
                let message = format!("refers to the text {raw:?}, which is not there");
                Problem::new(Code::Malformed, message)
            })
        }
        "str" | "inlineStr" | "d" => Ok(unescaped(&raw)),
        "b" => Ok(if raw.trim() == "1" { "TRUE" } else { "FALSE" }.to_owned()),
        "e" => {
            odd.errors += 1;
            Ok(String::new())
        }
        _ => {
            odd.formulas += usize::from(formula && raw.is_empty());
            Ok(number(&raw, place.style, dates, odd))
        }
    }
}

/// A number as it is meant: a date, a whole number without an exponent, or as written.
fn number(raw: &str, style: usize, dates: &Dates, odd: &mut Odd) -> String {
    let Ok(value) = raw.trim().parse::<f64>() else {
        return raw.to_owned();
    };
    if let Some(date) = dates.date(value, style) {
        odd.dates += 1;
        return date;
    }
    if value.fract() == 0.0 && value.abs() < 1e18 {
        odd.rounded += usize::from(value.abs() >= EXACT);
        return format!("{value:.0}");
    }
    // The shortest that is the same number: 0.1 may lie there as 0.10000000000000001.
    format!("{value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(cells: &str, strings: &[String]) -> Result<Sheet, Problem> {
        let xml = format!("<worksheet><sheetData>{cells}</sheetData></worksheet>");
        read(&xml, "sheet1.xml", strings, &Dates::default())
    }

    #[test]
    fn cells_are_what_they_mean() {
        let strings = ["धन्यवाद".to_owned(), "x".to_owned()];
        let sheet = rows(
            "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>0</v></c><c r=\"C2\"><v>8.44424931537866E+14</v></c>\
             <c t=\"inlineStr\"><is><t>in</t></is></c><c t=\"b\"><v>1</v></c><c t=\"e\"><v>#REF!</v></c>\
             <c t=\"str\"><f>A1</f><v> f </v></c><c><f>B1</f></c><c><v>0.10000000000000001</v></c></row>\
             <row><c><v/></c></row><row><c r=\"A4\"><v>1e16</v></c></row>",
            &strings,
        )
        .unwrap();
        let wanted = [
            "धन्यवाद",
            "",
            "844424931537866",
            "in",
            "TRUE",
            "",
            " f ",
            "",
            "0.1",
        ];
        assert_eq!(sheet.rows[0], (2, wanted.map(String::from).to_vec()));
        assert_eq!(sheet.rows[1], (4, vec!["10000000000000000".to_owned()]));
        assert_eq!(sheet.rows.len(), 2);
        let of_one = [
            "1 cell holds an error like #REF! and is taken as empty",
            "1 cell is a formula whose value is not in the file, taken as empty: open and save it in \
             Excel",
            "1 cell is a number of more than 15 digits: the spreadsheet has rounded it",
        ];
        assert_eq!(sheet.remarks, of_one);
        let both = "<row><c><v>1e16</v></c><c><v>2e16</v></c></row>";
        let of_both =
            "2 cells are numbers of more than 15 digits: the spreadsheet has rounded them";
        assert_eq!(rows(both, &[]).unwrap().remarks, [of_both]);
    }

    #[test]
    fn what_a_sheet_claims_is_bounded() {
        let far = rows("<row><c r=\"XFD1\"><v>1</v></c></row>", &[]).unwrap_err();
        assert_eq!(far.code, Code::Malformed);
        assert!(
            rows("<row><c r=\"XFD1\"/></row>", &[])
                .unwrap()
                .rows
                .is_empty()
        );
        let missing = rows("<row><c t=\"s\"><v>7</v></c></row>", &[]).unwrap_err();
        assert!(missing.message.contains("not there"), "{missing}");
        let long = ["x".repeat(1 << 20)];
        let many = "<row><c t=\"s\"><v>0</v></c></row>".repeat(70);
        assert_eq!(rows(&many, &long).unwrap_err().code, Code::TooLarge);
        assert!(rows("<row><c></row>", &[]).is_err());
    }
}
