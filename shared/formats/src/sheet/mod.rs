//! Sheets of Excel (`.xlsx`): the first one that can be seen, as rows of texts.
//!
//! Numbers and dates are written as they are meant, not as they lie in the file; what a
//! spreadsheet has lost (digits of long ids, values of formulas) is told.

mod cells;
mod dates;
mod parts;
mod strings;
mod workbook;

use super::problem::{Code, Problem};
pub(crate) use cells::Sheet;

use dates::Dates;
use parts::Parts;
use strings::shared;
use workbook::Workbook;

/// Reads the first sheet of a workbook that can be seen.
///
/// # Errors
/// It is no workbook, a broken or encrypted one, has no sheet, or is too large.
pub(crate) fn read(bytes: &[u8]) -> Result<Sheet, Problem> {
    let mut parts = Parts::open(bytes)?;
    let workbook = Workbook::read(&mut parts)?;
    let chosen = workbook.first_visible()?;
    let no_part = || {
        let message = format!("has no content for its sheet {:?}", chosen.name);
        Problem::new(Code::Malformed, message)
    };
    let strings = match &workbook.strings {
        Some(part) => parts.text(part)?.map(|text| shared(&text, part)),
        None => None,
    };
    let strings = strings.transpose()?.unwrap_or_default();
    let dates = match &workbook.styles {
        Some(part) => parts
            .text(part)?
            .map(|text| Dates::read(&text, part, workbook.from_1904)),
        None => None,
    };
    let dates = dates.transpose()?.unwrap_or_default();
    let part = chosen.part.as_deref().ok_or_else(no_part)?;
    let text = parts.text(part)?.ok_or_else(no_part)?;
    let mut sheet = cells::read(&text, part, &strings, &dates)?;
    let others = workbook.others(&chosen);
    if !others.is_empty() {
        let remark = format!(
            "the sheet {:?} is read; {} not: {}",
            chosen.name,
            if others.len() == 1 {
                "this is"
            } else {
                "these are"
            },
            others.join(", ")
        );
        sheet.remarks.insert(0, remark);
    }
    Ok(sheet)
}
