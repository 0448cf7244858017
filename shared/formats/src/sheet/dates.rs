//! Which numbers of a sheet are dates, and which days they are.

use std::collections::HashMap;

use crate::days::civil;
use crate::problem::Problem;
use crate::xml::{Piece, Pieces};

/// Days from 1899-12-30, where Excel counts from, to 1904-01-01.
const TO_1904: f64 = 1_462.0;
/// Days from 1899-12-30 to 1970-01-01.
const TO_1970: i64 = 25_569;
/// 9999-12-31, the last day there is.
const LAST: f64 = 2_958_466.0;

/// What a date shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shows {
    Number,
    Day,
    Time,
    Both,
}

/// Styles of a workbook, as far as they tell dates.
#[derive(Debug, Default)]
pub(super) struct Dates {
    styles: Vec<Shows>,
    from_1904: bool,
}

impl Dates {
    pub(super) fn read(text: &str, part: &str, from_1904: bool) -> Result<Self, Problem> {
        let mut own: HashMap<u32, Shows> = HashMap::new();
        let mut styles = Vec::new();
        let mut in_cells = false;
        let mut pieces = Pieces::new(text, part);
        loop {
            let element = match pieces.next()? {
                Piece::Begin(element) => element,
                Piece::End(name) => {
                    in_cells &= name != "cellXfs";
                    continue;
                }
                Piece::Text(_) => continue,
                Piece::Over => break,
            };
            let number = || element.attribute("numFmtId").and_then(|id| id.parse().ok());
            if element.is("numFmt") {
                let code = element.attribute("formatCode").unwrap_or_default();
                own.insert(number().unwrap_or_default(), of_code(&code));
            } else if element.is("cellXfs") {
                in_cells = true;
            } else if element.is("xf") && in_cells {
                let id = number().unwrap_or_default();
                styles.push(own.get(&id).copied().unwrap_or_else(|| built_in(id)));
            }
        }
        Ok(Self { styles, from_1904 })
    }

    /// A number as the date that its style makes of it; `None` where it is a number.
    pub(super) fn date(&self, number: f64, style: usize) -> Option<String> {
        let shows = self.styles.get(style).copied().unwrap_or(Shows::Number);
        if shows == Shows::Number || !(0.0..LAST).contains(&number) {
            return None;
        }
        let number = if self.from_1904 {
            number + TO_1904
        } else {
            number
        };
        let seconds = (number.fract() * 86_400.0).round() as i64;
        // Excel has a 29th of February 1900, which there was not.
        let lost = i64::from(!self.from_1904 && (1.0..60.0).contains(&number));
        let days = number.trunc() as i64 + lost + seconds / 86_400;
        let seconds = seconds % 86_400;
        let (year, month, day) = civil(days - TO_1970);
        let day = format!("{year:04}-{month:02}-{day:02}");
        let time = format!(
            "{:02}:{:02}:{:02}",
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60
        );
        Some(match shows {
            Shows::Time => time,
            Shows::Both if seconds > 0 => format!("{day} {time}"),
            _ => day,
        })
    }
}

/// Formats that files refer to without defining them.
fn built_in(id: u32) -> Shows {
    match id {
        14..=17 | 27..=31 | 34..=36 | 50..=58 => Shows::Day,
        18..=21 | 32 | 33 | 45..=47 => Shows::Time,
        22 => Shows::Both,
        _ => Shows::Number,
    }
}

/// What a format's code shows: letters of dates that are neither quoted nor in brackets.
fn of_code(code: &str) -> Shows {
    let (mut day, mut time) = (false, false);
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                chars.by_ref().find(|c| *c == '"');
            }
            '\\' | '_' | '*' => {
                chars.next();
            }
            '[' => {
                let inside: String = chars.by_ref().take_while(|c| *c != ']').collect();
                let hours = inside
                    .chars()
                    .all(|c| matches!(c.to_ascii_lowercase(), 'h' | 'm' | 's'));
                time |= hours && !inside.is_empty();
            }
            'y' | 'Y' | 'd' | 'D' => day = true,
            'h' | 'H' | 's' | 'S' => time = true,
            // Only the first of several forms counts, that of positive numbers.
            ';' => break,
            _ => {}
        }
    }
    // `m` is a month or a minute, by its company; alone it is a month.
    let month = code.contains(['m', 'M']) && !time && code.to_lowercase().starts_with("mm");
    match (day || month, time) {
        (true, true) => Shows::Both,
        (true, false) => Shows::Day,
        (false, true) => Shows::Time,
        (false, false) => Shows::Number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(code: &str, number: f64) -> Option<String> {
        let styles = vec![of_code(code)];
        let dates = Dates {
            styles,
            from_1904: false,
        };
        dates.date(number, 0)
    }

    #[test]
    fn numbers_are_the_days_they_mean() {
        for (code, number, wanted) in [
            ("yyyy-mm-dd", 46_353.0, Some("2026-11-27")),
            ("dd/mm/yyyy hh:mm", 46_353.5, Some("2026-11-27 12:00:00")),
            ("[h]:mm:ss", 0.25, Some("06:00:00")),
            ("d-mmm", 36_586.0, Some("2000-03-01")),
            ("yyyy", 59.0, Some("1900-02-28")),
            ("yyyy", 61.0, Some("1900-03-01")),
            ("General", 46_353.0, None),
            ("0.00 \"days\"", 46_353.0, None),
            ("[Red]#,##0", 46_353.0, None),
            ("yyyy", -1.0, None),
            ("yyyy", 1e300, None),
        ] {
            assert_eq!(shown(code, number).as_deref(), wanted, "{code} {number}");
        }
        let of_mac = Dates {
            styles: vec![Shows::Day],
            from_1904: true,
        };
        assert_eq!(of_mac.date(44_891.0, 0).as_deref(), Some("2026-11-27"));
    }
}
