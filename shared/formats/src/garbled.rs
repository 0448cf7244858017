//! Texts whose letters were lost before they came here: UTF-8 that was read as Windows-1252 and
//! saved again, and marks for what could not be read.

use super::decode::lines;
use super::files::{self, Files};
use super::language::{is_written_in_latin, tag_of};
use super::manifest::{Options, Row};
use super::problem::{Code, Problem};

/// Share of characters above which a text is not what was written.
const MOST: f64 = 0.02;
/// Characters below which nothing is told.
const FEWEST: usize = 20;

/// Letters of Latin-1 and the mark for what could not be read.
const fn is_lost(c: char) -> bool {
    matches!(c, '\u{fffd}' | '\u{80}'..='\u{ff}') && !matches!(c, '\u{a0}' | '«' | '»' | '·')
}

/// Refuses texts of languages that are not written in Latin letters and have more than a few
/// of Latin-1.
///
/// # Errors
/// They have, with the place of the first.
pub(super) fn refuse(files: &dyn Files, rows: &[Row], options: &Options) -> Result<(), Problem> {
    let (mut all, mut lost) = (0_usize, 0_usize);
    let mut first: Option<&Row> = None;
    for row in rows {
        let Some(text) = row.said.text() else {
            continue;
        };
        let own = text.chars().filter(|c| is_lost(*c)).count();
        all += text.chars().filter(|c| !c.is_whitespace()).count();
        if own > 0 {
            let language = row.language.as_deref().or(options.language.as_deref());
            let is_latin = language
                .and_then(tag_of)
                .is_none_or(|tag| is_written_in_latin(&tag));
            if !is_latin {
                lost += own;
                first.get_or_insert(row);
            }
        }
    }
    let Some(row) = first.filter(|_| all >= FEWEST && lost as f64 > all as f64 * MOST) else {
        return Ok(());
    };
    let place = place(files, row).map_or_else(String::new, |at| format!(" at byte {at}"));
    let message = format!(
        "texts are not what was written: letters like “à¤” from the one{place} on, as UTF-8 has them \
         that was read as Windows-1252"
    );
    let problem = Problem::new(Code::Undecodable, message);
    Err(problem
        .file(&row.file)
        .line(row.line)
        .hint("save the table anew from where it came from, as UTF-8"))
}

/// The byte of its file at which the first such letter of a row stands.
fn place(files: &dyn Files, row: &Row) -> Option<usize> {
    let bytes = files::bytes(files, &row.file).ok()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let skipped = usize::try_from(row.line).ok()?.checked_sub(1)?;
    let (_, line) = lines(text).nth(skipped)?;
    let begins = line.as_ptr() as usize - text.as_ptr() as usize;
    let rest = text.get(begins..)?;
    let (at, _) = rest.char_indices().find(|(_, c)| is_lost(*c))?;
    Some(begins + at)
}
