//! A report in words that need no explanation: steps, flags, counts of few, parts of few clips.

use crate::report::{LINKS, section};
use crate::samples::{models, report};
use stt_eval_html::layout::{Frame, Medium};
use stt_eval_html::report::{self, Order};
use stt_eval_wire::report::{Group, Report};

const WORDS: [&str; 4] = ["बुखार", "बूखार", "है", "तो"];

fn sample() -> Report {
    report("r", &models(), WORDS, true)
}

/// A part like another one, of a name.
fn named(like: &Group, name: &str) -> Group {
    Group {
        value: Some(name.to_owned()),
        ..like.clone()
    }
}

#[test]
fn of_fewer_than_ten_that_were_judged_no_rate_is_told() {
    let mut value = sample();
    let judged = |html: &str| {
        let models = section(html, "models");
        let row = models.split("gemini-2.5-pro</bdi>").nth(1).unwrap();
        let row = row.split("</tr>").next().unwrap();
        row.split("<td class=\"number\">")
            .nth(6)
            .unwrap()
            .to_owned()
    };
    let told = judged(&report::file(&value).unwrap());
    assert!(
        told.contains("80.0") && told.contains("<small>of 30, 62.7–90.5"),
        "{told}"
    );
    let human = &mut value.providers[0].human;
    (human.correct, human.incorrect, human.accuracy) = (9, 0, Some(1.0));
    let told = judged(&report::file(&value).unwrap());
    assert!(
        told.starts_with("9 of 9<small></small>") && !told.contains('%'),
        "{told}"
    );
}

#[test]
fn steps_and_flags_are_told_in_words() {
    let html = report::file(&sample()).unwrap();
    let steps = section(&html, "forgiven");
    for told in [
        "0 As written<small>nothing is changed yet <code>raw</code></small>",
        "3 Punctuation<small>signs become blanks <code>punctuation</code></small>",
        "5 Number words<small>they become digits <code>numbers</code></small><small>hides real",
        // One that no version knows.
        "1 unicode</th>",
        "120 errors fewer",
        "2 errors more",
    ] {
        assert!(steps.contains(told), "{told}: {steps}");
    }
    let models = section(&html, "models");
    let told = "<b>wrong script</b>: most letters are of a script that the language does not use";
    assert!(models.contains(told), "{models}");
    assert!(!models.contains("<b>too fast</b>"), "{models}");
    assert!(models.contains("percentage points") && !models.contains("<small>points"));
    let mut plain = sample();
    for model in &mut plain.providers {
        model.flags.clear();
    }
    let html = report::file(&plain).unwrap();
    assert!(!html.contains("Beneath the name of a model"), "{html}");
}

#[test]
fn parts_that_are_all_of_too_few_clips_stand_in_one_line() {
    let mut value = sample();
    let groups = &mut value.groups.as_mut().unwrap().groups;
    let thana = groups[3].clone();
    groups.push(named(&thana, "mela"));
    let html = report::file(&value).unwrap();
    let (languages, parts) = section(&html, "differs")
        .split_once("<h3 id=\"groups\">")
        .unwrap();
    let line = "2\u{a0}groups of fewer than 10 clips each tell no rate: <bdi>mela</bdi> \
                (6\u{a0}clips), <bdi>thana</bdi> (6\u{a0}clips).";
    assert!(parts.contains(line), "{parts}");
    assert_eq!(parts.matches("<th scope=\"row\">").count(), 3, "{parts}");
    assert!(!parts.contains("too few clips"), "{parts}");
    // A single one says as much in its row.
    assert!(languages.contains("too few clips"), "{languages}");
    assert!(!languages.contains("tell no rate"), "{languages}");

    // Where there are no others, there is neither a table nor a chart.
    let groups = &mut value.groups.as_mut().unwrap().groups;
    *groups = (0..20)
        .map(|at| named(&thana, &format!("part {at:02}")))
        .collect();
    let html = report::file(&value).unwrap();
    let (_, parts) = html.split_once("<h3 id=\"groups\">").unwrap();
    let (parts, _) = parts.split_once("</section>").unwrap();
    assert!(
        !parts.contains("<table") && !parts.contains("<svg"),
        "{parts}"
    );
    assert!(
        parts.contains("<bdi>part 11</bdi>") && parts.contains(") and 8 more."),
        "{parts}"
    );
}

#[test]
fn a_long_name_of_a_part_is_whole_in_the_table_and_in_the_title_of_its_place() {
    let long = "Bahraich/district/with a/very long/name near the border";
    let mut value = sample();
    let groups = &mut value.groups.as_mut().unwrap().groups;
    groups[0].value = Some(long.to_owned());
    let html = report::file(&value).unwrap();
    let (_, parts) = html.split_once("<h3 id=\"groups\">").unwrap();
    assert!(parts.contains(&format!("<bdi>{long}</bdi>")), "{parts}");
    let title = format!("<title>{long}</title>Bahraich/district/");
    assert!(parts.contains(&title), "{parts}");
    assert!(!parts.contains("<title>kisan</title>"), "{parts}");
}

#[test]
fn blocks_are_told_only_where_clips_count_together() {
    let mut value = sample();
    let note = |value: &Report| {
        let html = report::file(value).unwrap();
        let (_, note) = html.split_once("Paired permutation test over ").unwrap();
        note.split_once(';').unwrap().0.to_owned()
    };
    assert_eq!(note(&value), "178\u{a0}clips");
    value.comparison.as_mut().unwrap().blocks = 9;
    let told = "178\u{a0}clips in 9\u{a0}blocks, whose clips count together";
    assert_eq!(note(&value), told);
}

#[test]
fn downloads_stand_together_and_the_arrow_beside_its_word() {
    let frame = Frame {
        medium: Medium::Site,
        ..Frame::of_file("r")
    };
    let value = report("r", &models(), WORDS, true);
    let html = report::page(&value, frame, LINKS, Order::Wer).unwrap();
    let (_, files) = html.split_once("<ul class=\"files\">").unwrap();
    let (files, _) = files.split_once("</ul>").unwrap();
    for path in [
        "report.html\" download>",
        "results.csv\">",
        "results.jsonl\">",
    ] {
        assert!(files.contains(path), "{files}");
    }
    let arrow = ">WER<span class=\"arrow\" aria-hidden=\"true\"> ▴</span></a>";
    assert_eq!(html.matches(arrow).count(), 1, "{html}");
    assert_eq!(html.matches("class=\"arrow\"").count(), 1);
    // There is nothing to choose from.
    assert!(!html.contains("<select"), "{html}");
    let file = report::file(&value).unwrap();
    assert!(!file.contains("class=\"files\"") && !file.contains("class=\"arrow\""));
}
