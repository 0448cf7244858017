//! Rates after each step, a line for each model, labelled at its end.

use askama::Template;
use askama::filters::HtmlSafe;

use super::scale::{Px, Scale, stacked};
use super::{Tick, lines, outline, percent_ticks};

/// Most models of which lines can be told apart.
pub const MOST: usize = 6;

const LEFT: f64 = 34.0;
/// Places of the first and the last step: marks lie over no label of the axis.
const FIRST: f64 = 48.0;
const LAST: f64 = 264.0;
/// From the last step to the mark of a label, and to its text.
const SIGN: f64 = 34.0;
const TEXT: f64 = 43.0;
const TOP: f64 = 10.0;
/// Height of the axis, unless labels need more.
const FLOOR: f64 = 230.0;
/// From one line of a label to the next, and what a label takes besides.
const LINE: f64 = 16.0;
const GAP: f64 = 8.0;
/// From the middle of a label of one line to the foot of its letters.
const FOOT: f64 = 5.0;

struct Line {
    series: usize,
    /// Its lines, each with its place.
    label: Vec<(String, Px)>,
    /// Height of the end of the line, and of its label.
    end: Px,
    at: Px,
    places: Vec<(Px, Px)>,
    points: String,
    outline: &'static str,
}

/// A model by name, and its rates.
type Model = (String, Vec<f64>);

/// A line for each model.
#[derive(Template)]
#[template(path = "charts/steps.svg.html")]
pub struct Steps {
    title: String,
    finding: String,
    lines: Vec<Line>,
    ticks: Vec<Tick>,
    numbers: Vec<Tick>,
    numbers_y: Px,
    height: Px,
    left: Px,
    right: Px,
    leader: (Px, Px),
    sign_x: Px,
    label_x: Px,
}

impl HtmlSafe for Steps {}

impl Line {
    /// Whether its label stands elsewhere than it ends.
    fn is_moved(&self) -> bool {
        (self.at.0 - self.end.0).abs() > 1.0
    }
}

impl Steps {
    /// Lines of models by name, each with as many rates as there are steps. `None` for
    /// none, for a single step, or for more models than can be told apart.
    #[must_use]
    pub fn new(title: String, finding: String, models: Vec<Model>) -> Option<Self> {
        let count = models.iter().map(|(_, rates)| rates.len()).max()?;
        if count < 2 || models.len() > MOST {
            return None;
        }
        let named: Vec<Vec<String>> = models.iter().map(|(name, _)| lines(name)).collect();
        let heights = named.iter().map(|label| label.len() as f64 * LINE + GAP);
        let heights: Vec<f64> = heights.collect();
        let floor = FLOOR.max(heights.iter().sum());
        let all = models.iter().flat_map(|(_, rates)| rates);
        let high = all.copied().fold(0.0, f64::max);
        let y = Scale::linear((0.0, high * 1.05), (floor, TOP));
        let x = Scale::linear((0.0, (count - 1) as f64), (FIRST, LAST));
        let end = |rates: &[f64]| y.at(rates.last().copied().unwrap_or(0.0));
        let ends = models.iter().map(|(_, rates)| end(rates).0);
        let wishes: Vec<(f64, f64)> = ends.zip(heights).collect();
        let labels = named.into_iter().zip(stacked(&wishes, 0.0, floor));
        let lines = models.into_iter().zip(labels).enumerate();
        let line = |(series, ((_, rates), (label, at))): (usize, (Model, (Vec<String>, f64)))| {
            let first = at + FOOT - (label.len().saturating_sub(1)) as f64 * LINE / 2.0;
            let down = label.into_iter().enumerate();
            let places: Vec<(Px, Px)> = rates
                .iter()
                .enumerate()
                .map(|(step, rate)| (x.at(step as f64), y.at(*rate)))
                .collect();
            let points: Vec<String> = places.iter().map(|(x, y)| format!("{x},{y}")).collect();
            Line {
                series,
                label: down
                    .map(|(line, text)| (text, Px(first + line as f64 * LINE)))
                    .collect(),
                end: end(&rates),
                at: Px(at),
                places,
                points: points.join(" "),
                outline: outline(series),
            }
        };
        let number = |step: usize| Tick {
            at: x.at(step as f64),
            label: step.to_string(),
        };
        Some(Self {
            title,
            finding,
            lines: lines.map(line).collect(),
            ticks: percent_ticks(&y, 4),
            numbers: (0..count).map(number).collect(),
            numbers_y: Px(floor + 20.0),
            height: Px(floor + 28.0),
            left: Px(LEFT),
            right: Px(LAST),
            leader: (Px(LAST + 6.0), Px(LAST + SIGN - 6.0)),
            sign_x: Px(LAST + SIGN),
            label_x: Px(LAST + TEXT),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_lines_that_end_together_keep_apart_and_are_led_to() {
        let names = [
            "deepgram/nova-3",
            "openai/gpt-4o-transcribe-large-for-calls",
            "mistral/voxtral-mini-2602",
            "sarvam/saaras-v4",
            "imported/whisper-large-v3-finetuned-on-helpline-calls",
            "gemini-2.5-pro",
        ];
        let rates = [0.415, 0.414, 0.389, 0.421, 0.41, 0.1];
        let models = names.iter().zip(rates);
        let models = models.map(|(name, rate)| ((*name).to_owned(), vec![0.45, rate]));
        let steps = Steps::new(String::new(), String::new(), models.collect()).unwrap();
        let mut boxes: Vec<(f64, f64)> = Vec::new();
        for line in &steps.lines {
            let (first, last) = (line.label[0].1.0, line.label.last().unwrap().1.0);
            boxes.push((first - 12.0, last + 4.0));
        }
        boxes.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(
            boxes.windows(2).all(|two| two[1].0 - two[0].1 >= 4.0),
            "{boxes:?}"
        );
        assert!(
            boxes[0].0 >= 0.0 && boxes[5].1 <= steps.height.0,
            "{boxes:?}"
        );
        // In the order of the ends, so that no leader crosses another one.
        let mut lines: Vec<&Line> = steps.lines.iter().collect();
        lines.sort_by(|a, b| a.end.0.total_cmp(&b.end.0));
        assert!(lines.windows(2).all(|two| two[0].at.0 < two[1].at.0));
        assert!(lines[0].is_moved());
        let whole: String = steps.lines[4]
            .label
            .iter()
            .map(|(text, _)| &**text)
            .collect();
        assert_eq!(whole, names[4]);
    }
}
