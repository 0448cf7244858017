//! Charts as SVG that follows the page's colours, prints, and is told in words.
//!
//! Each has a title, a sentence that says what it shows, and a table with the same figures
//! beside it. No information is in a colour alone.

pub mod forest;
pub mod histogram;
pub mod scale;
pub mod scatter;
pub mod slices;
pub mod steps;

use self::scale::{Px, Scale};

/// Characters of a line of a name that fit beside a mark, and most lines of it.
const LABEL: usize = 18;
const LINES: usize = 4;
/// What a name and its figure have together above a row, and what a letter of each takes of
/// that; in tenths.
const TOGETHER: usize = 3_100;
const LETTER: usize = 66;
const DIGIT: usize = 68;

/// A line of a grid and its label.
pub struct Tick {
    /// Where.
    pub at: Px,
    /// What it stands for.
    pub label: String,
}

/// Ticks of a scale of rates, in percent.
fn percent_ticks(scale: &Scale, wanted: usize) -> Vec<Tick> {
    let values = scale.ticks(wanted);
    let close = values
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if b - a < 0.0099));
    let label = |value: f64| {
        let percent = value * 100.0;
        let text = if close {
            format!("{percent:.1}")
        } else {
            format!("{percent:.0}")
        };
        text.replace('-', "\u{2212}")
    };
    let tick = |value: f64| Tick {
        at: scale.at(value),
        label: label(value),
    };
    values.into_iter().map(tick).collect()
}

/// A name in a room of so many characters: whole, or its beginning and its end, by which
/// names of one family are told apart.
fn short(name: &str, room: usize) -> String {
    let count = name.chars().count();
    if count <= room {
        return name.to_owned();
    }
    let kept = room.saturating_sub(1);
    let end = kept / 2;
    let begin = name.chars().take(kept - end);
    begin
        .chain(['…'])
        .chain(name.chars().skip(count - end))
        .collect()
}

/// A name above a row.
struct Name {
    shown: String,
    /// All of it, where less is shown.
    whole: Option<String>,
}

impl Name {
    /// A name that leaves room for a figure at the other end of its line.
    fn beside(name: String, figure: &str) -> Self {
        let taken = figure.chars().count() * DIGIT;
        let shown = short(&name, TOGETHER.saturating_sub(taken) / LETTER);
        Self {
            whole: (shown != name).then_some(name),
            shown,
        }
    }
}

/// A name beside a mark, in a few lines: parted where it is made of parts.
fn lines(name: &str) -> Vec<String> {
    let (mut lines, mut rest) = (Vec::new(), name);
    while rest.chars().count() > LABEL && lines.len() + 1 < LINES {
        let parted = rest
            .char_indices()
            .take(LABEL)
            .filter(|(_, c)| matches!(c, '/' | '-' | '_' | '.' | ':' | ' '))
            .last();
        let Some((line, behind)) =
            parted.and_then(|(at, c)| rest.split_at_checked(at + c.len_utf8()))
        else {
            break;
        };
        lines.push(line.to_owned());
        rest = behind;
    }
    lines.push(short(rest, LABEL));
    lines
}

/// Outline of the mark of a series: each of six has its own shape, about the middle
/// of the coordinates.
#[must_use]
pub fn outline(series: usize) -> &'static str {
    const OUTLINES: [&str; 6] = [
        "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z",
        "M-3.6 -3.6h7.2v7.2h-7.2Z",
        "M0 -4.8L4.6 3.6H-4.6Z",
        "M0 -5L5 0L0 5L-5 0Z",
        "M0 4.8L4.6 -3.6H-4.6Z",
        "M-1.6 -4.6h3.2v3h3v3.2h-3v3h-3.2v-3h-3v-3.2h3Z",
    ];
    OUTLINES
        .get(series % OUTLINES.len())
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_family_are_told_apart() {
        assert_eq!(short("gemini-2.5-pro", 14), "gemini-2.5-pro");
        assert_eq!(short("abcdefghij", 5), "ab…ij");
        assert_eq!(short("abcdefghij", 1), "…");
        for (name, shown) in [
            ("gemini-2.5-pro", "gemini-2.5-pro"),
            ("imported/whisper-large-v3", "imported/whisper-|large-v3"),
            (
                "imported/whisper-large-v3-finetuned-hi",
                "imported/whisper-|large-v3-|finetuned-hi",
            ),
            (
                "imported/whisper-large-v3-finetuned-on-helpline-calls-of-bahraich",
                "imported/whisper-|large-v3-|finetuned-on-|helpline-…bahraich",
            ),
            ("अआइईउऊऋएऐओऔकखगघङचछजझ", "अआइईउऊऋएऐ…खगघङचछजझ"),
        ] {
            assert_eq!(lines(name).join("|"), shown);
        }
    }

    #[test]
    fn a_name_leaves_room_for_its_figure_and_is_told_whole_where_it_is_cut() {
        let name = Name::beside("Hindi".to_owned(), "40 clips");
        assert_eq!((&*name.shown, name.whole), ("Hindi", None));
        let long = "a district with a very long name near the border";
        let name = Name::beside(long.to_owned(), "14 clips · too few clips");
        assert_eq!(name.shown.chars().count(), 22);
        assert_eq!(name.whole.as_deref(), Some(long));
    }
}
