//! What a report comes to, and in which order its models stand.

use crate::report::LINKS;
use crate::samples::{Model, models, report};
use serde_json::json;
use stt_eval_html::layout::{Frame, Medium};
use stt_eval_html::report::verdict::{plain, verdict};
use stt_eval_html::report::{self, Order};
use stt_eval_wire::report::Report;

const WORDS: [&str; 4] = ["बुखार", "बूखार", "है", "तो"];
const NBSP: &str = "\u{a0}";

fn finding(models: &[Model]) -> String {
    plain(&verdict(&report("r", models, WORDS, true)).finding)
}

#[test]
fn a_model_is_best_only_where_every_comparison_says_so() {
    let all = models();
    assert_eq!(
        finding(&all),
        format!(
            "gemini-2.5-pro is best or tied for best. gemini-2.5-flash is not distinguishable \
             from it with these 178{NBSP}clips."
        )
    );
    let further = verdict(&report("r", &all, WORDS, true)).further;
    let further: Vec<String> = further.iter().map(|sentence| plain(sentence)).collect();
    assert_eq!(
        further,
        [
            "About 400\u{a0}more clips would tell gemini-2.5-pro and gemini-2.5-flash apart, if their \
             difference is what it seems.",
            "sarvam/saaras-v4 and imported/whisper-large-v3-hi make more errors than \
             gemini-2.5-pro: chance does not explain the difference.",
        ]
    );
    assert_eq!(
        finding(&all[1..3]),
        format!(
            "gemini-2.5-flash makes fewer errors than sarvam/saaras-v4: on these 178{NBSP}clips, \
             chance does not explain the difference."
        )
    );
    assert!(finding(&all[..1]).ends_with("There is no other model to compare it with."));
    let mut one = report("r", &all[..2], WORDS, true);
    one.providers[1].score = None;
    (one.providers[1].rank, one.comparison) = (None, None);
    let told = plain(&verdict(&one).finding);
    assert!(
        told.ends_with("The other model of the run has no score to compare it with."),
        "{told}"
    );
    assert_eq!(finding(&[]), "");
}

#[test]
fn the_group_alone_makes_no_model_the_best() {
    let mut all = models();
    all.truncate(2);
    // Alone in its group, but a comparison says that it is not apart.
    let mut value = report("r", &all, WORDS, true);
    value.providers[1].rank.as_mut().unwrap().group = 2;
    let text = plain(&verdict(&value).finding);
    assert!(text.contains("not distinguishable"), "{text}");
}

#[test]
fn equal_models_are_not_distinguishable_and_nothing_is_a_winner() {
    let mut equal = models();
    equal.truncate(2);
    equal[1].wrong = equal[0].wrong;
    let html = report::file(&report("equal", &equal, WORDS, true)).unwrap();
    let told = format!("These two models can’t be told apart with these 178{NBSP}clips.");
    assert!(html.contains(&told), "{html}");
    assert!(!html.contains("best or tied"));
    assert!(!html.to_lowercase().contains("winner"));
    assert_eq!(html.matches("1–2<small>tied</small>").count(), 2);
}

#[test]
fn of_many_that_are_alike_none_is_named_as_the_best() {
    let mut alike = models();
    for model in &mut alike {
        model.rank = (1, 1, 4);
    }
    let told = format!("No two of these 4 models can be told apart with these 178{NBSP}clips.");
    assert_eq!(finding(&alike), told);
}

#[test]
fn why_so_few_clips_are_compared_is_told_at_once() {
    let fewer = |models: &[Model]| {
        let mut value = report("r", models, WORDS, true);
        let warning =
            json!({ "code": "fewer_shared_samples", "model": null, "count": 7, "message": "m" });
        value.warnings = vec![serde_json::from_value(warning).unwrap()];
        value.comparison.as_mut().unwrap().samples = 7;
        plain(&verdict(&value).finding)
    };
    let mut alike = models();
    assert_eq!(
        fewer(&alike[1..3]),
        format!(
            "gemini-2.5-flash makes fewer errors than sarvam/saaras-v4: on the 7 of 180{NBSP}clips \
             that all of them have, chance does not explain the difference."
        )
    );
    for model in &mut alike {
        model.rank = (1, 1, 4);
    }
    assert_eq!(
        fewer(&alike),
        format!(
            "No two of these 4 models can be told apart with the 7 of 180{NBSP}clips that all of \
             them have."
        )
    );
}

/// A model of a report, the others of which may be compared with it in any way.
fn of(name: &'static str, wrong: u64, group: u64) -> Model {
    Model {
        name,
        wrong,
        rank: (group, 1, 4),
        price: None,
        flags: json!({}),
        spread: [0; 12],
    }
}

/// The finding, and each sentence behind it.
fn told(report: &Report) -> Vec<String> {
    let verdict = verdict(report);
    let sentences = std::iter::once(&verdict.finding).chain(&verdict.further);
    sentences.map(|sentence| plain(sentence)).collect()
}

/// What chance may explain after all.
fn not_apart(report: &mut Report, a: &str, b: &str) {
    let pairs = &mut report.comparison.as_mut().unwrap().pairs;
    let pair = pairs.iter_mut().find(|pair| pair.a == a && pair.b == b);
    let pair = pair.unwrap();
    pair.distinguishable = false;
    pair.more_blocks = Some(400);
}

#[test]
fn chance_is_excluded_for_those_alone_that_were_found_apart_from_the_best() {
    // Each of a group is compared with its first: D is with C in the second group, whose rate
    // varies so much that nothing tells it from A.
    let models = [of("A", 200, 1), of("C", 280, 2), of("D", 360, 2)];
    let mut value = report("r", &models, WORDS, true);
    not_apart(&mut value, "A", "D");
    let behind = "C makes more errors than A: chance does not explain the difference.";
    let more = |one: &str| {
        format!(
            "About 400{NBSP}more clips would tell A and {one} apart, if their difference is what it seems."
        )
    };
    let finding = |tied: &str| {
        format!(
            "A is best or tied for best. {tied} not distinguishable from it with these 178{NBSP}clips."
        )
    };
    assert_eq!(
        told(&value),
        [finding("D is"), more("D"), behind.to_owned()]
    );

    let models = [
        of("A", 200, 1),
        of("B", 204, 1),
        of("C", 280, 2),
        of("D", 360, 2),
    ];
    let mut value = report("r", &models, WORDS, true);
    not_apart(&mut value, "A", "D");
    assert_eq!(
        told(&value),
        [finding("B and D are"), more("B"), behind.to_owned()]
    );

    // A group of its own is no sign either that a model is behind.
    let mut value = report(
        "r",
        &[of("A", 200, 1), of("B", 280, 2), of("C", 360, 3)],
        WORDS,
        true,
    );
    not_apart(&mut value, "A", "B");
    not_apart(&mut value, "A", "C");
    assert_eq!(told(&value), [finding("B and C are"), more("B")]);
}

#[test]
fn ranks_are_of_nothing_where_one_of_the_compared_has_heard_silence_alone() {
    let models = [of("A", 200, 1), of("B", 280, 1), of("C", 360, 1)];
    let mut value = report("r", &models, WORDS, true);
    let all = &mut value.providers[2].score.as_mut().unwrap().all;
    (all.hits, all.substitutions, all.deletions, all.insertions) = (0, 0, 0, 7);
    all.wer = 7.0;
    let nothing_known = "No clip with words is scored for all of the models, so nothing is known of \
                         which is better.";
    let page = report::file(&value).unwrap();
    assert!(page.contains(nothing_known), "{page}");
    for wrong in ["from it with", "with these", "tied</small>", "700.0"] {
        assert!(!page.contains(wrong), "{wrong}: {page}");
    }
    // The others keep their own rates.
    assert!(
        page.contains("<b>10.0") && page.contains("<b>14.0"),
        "{page}"
    );

    // One that was not compared takes nothing from the others.
    value.providers[2].rank = None;
    let comparison = value.comparison.as_mut().unwrap();
    comparison.providers.remove("C");
    comparison.pairs.retain(|pair| pair.b != "C");
    let page = report::file(&value).unwrap();
    assert!(page.contains("is best or tied for best."), "{page}");
}

/// The names of the models of a report, as its table has them in an order.
fn sorted(report: &Report, order: Order) -> Vec<String> {
    let frame = Frame {
        medium: Medium::Site,
        ..Frame::of_file("r")
    };
    let html = report::page(report, frame, LINKS, order).unwrap();
    let body = html.split("<table class=\"models\">").nth(1).unwrap();
    let body = body.split("<tbody>").nth(1).unwrap();
    let body = body.split("</tbody>").next().unwrap();
    let names = body.split("<bdi class=\"model\">").skip(1);
    names
        .map(|name| name.split('<').next().unwrap().to_owned())
        .collect()
}

#[test]
fn orders_sort_the_better_ones_first() {
    let value = report("r", &models(), WORDS, true);
    for (order, model) in [
        (Order::Rank, "gemini-2.5-pro"),
        (Order::Wer, "gemini-2.5-pro"),
        (Order::Cost, "gemini-2.5-flash"),
        (Order::Model, "gemini-2.5-flash"),
        (Order::Perfect, "gemini-2.5-pro"),
    ] {
        assert_eq!(sorted(&value, order)[0], model, "{order:?}");
    }
    for order in Order::ALL {
        assert_eq!(order.name().parse(), Ok(order));
    }
    assert!("nonsense".parse::<Order>().is_err());
}

#[test]
fn what_was_not_compared_stands_behind_what_was() {
    let models = [
        of("A", 200, 1),
        of("B", 200, 1),
        of("C", 360, 2),
        of("U", 20, 1),
    ];
    let mut value = report("r", &models, WORDS, true);
    value.providers.rotate_right(1);
    value.providers[0].rank = None;
    let comparison = value.comparison.as_mut().unwrap();
    comparison.providers.remove("U");
    comparison.pairs.retain(|pair| pair.b != "U");
    assert_eq!(sorted(&value, Order::Difference), ["A", "B", "C", "U"]);
}
