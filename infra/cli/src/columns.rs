//! Tables in columns.

use unicode_width::UnicodeWidthStr;

/// Letters of the longest unit behind a figure.
const LONGEST_UNIT: usize = 4;

/// Whether a cell is a figure, or stands for one that is not there.
fn is_figure(cell: &str) -> bool {
    let first = cell.split(' ').next().unwrap_or_default();
    let is_word = |word: &str| word.chars().filter(|c| c.is_alphabetic()).count() > LONGEST_UNIT;
    first.starts_with(|c: char| c.is_ascii_digit() || "$<–+-".contains(c))
        && !first.chars().any(char::is_alphabetic)
        && !cell.split(' ').any(is_word)
}

/// Lines in columns: figures aligned right, texts left. The first row is a heading.
pub fn columns(rows: &[Vec<String>]) -> String {
    laid_out(rows, usize::MAX)
}

/// The same where the last column is of words, whatever they look like: it is drawn over and
/// over, and must not jump.
pub fn with_words_last(rows: &[Vec<String>]) -> String {
    let last = rows.first().map_or(0, |row| row.len().saturating_sub(1));
    laid_out(rows, last)
}

fn laid_out(rows: &[Vec<String>], words: usize) -> String {
    let is_right = |column: usize| {
        let mut cells = rows.iter().skip(1).filter_map(|row| row.get(column));
        let figures = cells.clone().any(|cell| is_figure(cell));
        column > 0
            && column != words
            && figures
            && cells.all(|cell| cell.is_empty() || is_figure(cell))
    };
    let widths = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.width()).max().unwrap_or(0)
    };
    let mut out = String::new();
    for row in rows {
        let mut line = String::from(" ");
        for (column, cell) in row.iter().enumerate() {
            let space = " ".repeat(widths(column).saturating_sub(cell.width()));
            if column == 0 {
                line += &format!(" {cell}{space}");
            } else if !is_right(column) {
                line += &format!("  {cell}{space}");
            } else {
                line += &format!("  {space}{cell}");
            }
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = [["system", "WER"], ["a", "12.5 %"]].map(|row| row.map(String::from).to_vec());
        assert_eq!(columns(&rows), "  system     WER\n  a       12.5 %\n");
        let rows = [
            ["run", "name", "done", "cost"],
            ["r1", "a", "5/12", "<$0.01"],
            ["r2", "9 lives", "–", "$12.00"],
            ["r3", "2x", "", ""],
        ];
        assert_eq!(
            columns(&rows.map(|row| row.map(String::from).to_vec())),
            "  run  name     done    cost\n  r1   a        5/12  <$0.01\n  r2   9 lives     –  $12.00\n  r3   2x\n"
        );
    }
}
