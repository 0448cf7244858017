//! Exact figures of a small run that can be counted by hand.

use serde_json::{Value, json};
use stt_eval_shared::objects::{ObjectError, report_prefix};
use stt_eval_tests::Machine;

use crate::{FLASH, PRO, Told, close, dataset, id, report, run, told};

/// Words: 4 + 4 + 2 + 2 + 0 = 12. PRO: one word wrong and one blocked item of
/// two; FLASH: two words missing, one too many, and something on silence.
fn samples() -> Vec<Told> {
    let of = |speaker: &str, place: &str| json!({ "speaker": speaker, "place": place });
    vec![
        told(
            "one two three four",
            Some("One, two three for."),
            Some("two three"),
            of("a", "x"),
        ),
        told(
            "five six seven eight",
            Some("five six seven eight"),
            Some("five six seven eight"),
            of("a", "y"),
        ),
        told(
            "take paracetamol",
            Some("take paracetamol"),
            Some("take the paracetamol"),
            of("b", "x"),
        ),
        told("nine ten", None, Some("nine ten"), of("b", "y")),
        told("", Some("[no speech]"), Some("[no speech]"), of("c", "x")),
        Told {
            reference: None,
            pro: Some("nobody knows"),
            flash: Some("nobody knows"),
            metadata: json!({}),
        },
    ]
}

fn of<'a>(report: &'a Value, model: &str) -> &'a Value {
    let providers = report["providers"].as_array().unwrap();
    providers
        .iter()
        .find(|provider| provider["provider"] == model)
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_run_is_reported_to_the_last_digit() {
    let machine = Machine::start().await;
    let client = machine.client("demo");
    let made = dataset(
        &machine,
        &client,
        json!({ "keywords": ["Paracetamol", "nine ten"] }),
        &samples(),
    )
    .await;
    assert_eq!(made["keywords"], json!(["Paracetamol", "nine ten"]));
    let run = run(&machine, &client, &made).await;
    assert_eq!(
        run["counts"],
        json!({ "pending": 0, "completed": 11, "failed": 1 }),
        "{run}"
    );
    // Reviewers.
    let path = format!("/runs/{}/results?provider={PRO}&status=completed", id(&run));
    let results = client.get(&path).await.data(200).clone();
    for (result, correct) in results
        .as_array()
        .unwrap()
        .iter()
        .zip([true, true, true, false])
    {
        let path = format!("/results/{}", id(result));
        let _ = client
            .patch(&path, &json!({ "is_correct": correct }))
            .await
            .data(200);
    }

    let found = report(&client, &run, "group_by=place&block_by=speaker").await;
    assert_eq!(found["complete"], true);
    assert_eq!(
        (&found["sample_count"], &found["samples_read"]),
        (&json!(6), &json!(6))
    );
    assert_eq!(found["scoring"]["normalizer"], "indic-v1");
    assert_eq!(found["scoring"]["scorer_version"], "1");
    assert_eq!(found["common_samples"], 4);
    let (pro, flash) = (of(&found, PRO), of(&found, FLASH));

    // The headline: the blocked item's two words are missing.
    close(&pro["score"]["wer"], 3.0 / 12.0);
    close(&pro["score"]["answered"]["wer"], 1.0 / 10.0);
    close(&pro["score"]["coverage"], 4.0 / 5.0);
    close(&pro["score"]["mean_wer"], (0.25 + 0.0 + 0.0 + 1.0) / 4.0);
    close(&pro["score"]["median_wer"], 0.125);
    close(&pro["score"]["perfect_share"], 3.0 / 5.0);
    close(&flash["score"]["wer"], 3.0 / 12.0);
    close(&flash["score"]["answered"]["wer"], 3.0 / 12.0);
    assert_eq!(pro["score"]["deletions"], 2);
    assert_eq!(pro["score"]["substitutions"], 1);
    assert_eq!(flash["score"]["insertions"], 1);
    // In MER the inserted word counts below the line too.
    close(&flash["score"]["mer"], 3.0 / 13.0);
    close(&flash["score"]["wil"], 1.0 - (10.0 / 12.0) * (10.0 / 11.0));
    // "four" → "for": one of 18 + 20 + 16 + 8 characters; eight are missing.
    close(&pro["score"]["cer"], 9.0 / 62.0);
    close(&pro["score"]["cer_grapheme"], 9.0 / 62.0);
    // Where every model answered.
    close(&pro["common"]["wer"], 1.0 / 10.0);
    close(&flash["common"]["wer"], 3.0 / 10.0);

    assert_eq!(
        pro["failures"]
            .as_object()
            .unwrap()
            .values()
            .collect::<Vec<_>>(),
        [&json!(1)]
    );
    assert_eq!(
        (&pro["without_reference"], &pro["unscored"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(pro["human"]["correct"], 3);
    close(&pro["human"]["accuracy"], 0.75);
    assert!(
        pro["human"]["low"].as_f64().unwrap() > 0.30
            && pro["human"]["high"].as_f64().unwrap() < 0.96
    );
    assert_eq!(flash["human"]["accuracy"], Value::Null);
    assert_eq!(pro["latency_seconds"], Value::Null);
    close(&pro["cost"]["audio_hours"], 2.5 / 3600.0);
    let (usd, hour) = (&pro["cost"]["usd"], &pro["cost"]["usd_per_audio_hour"]);
    close(hour, usd.as_f64().unwrap() / (2.5 / 3600.0));
    assert!(!pro["model_versions"].as_array().unwrap().is_empty());

    // What each step forgave, from the untouched texts to the headline.
    let steps = pro["waterfall"].as_array().unwrap();
    assert_eq!(steps[0]["step"], "raw");
    close(&steps[0]["wer"], 4.0 / 12.0);
    close(&steps.last().unwrap()["wer"], 3.0 / 12.0);
    assert_eq!(steps[0]["errors"], 4);
    assert_eq!(
        pro["confusions"]["substituted"][0],
        json!({ "reference": "four", "hypothesis": "for", "times": 1 })
    );
    assert_eq!(
        flash["confusions"]["inserted"][0],
        json!({ "word": "the", "times": 1 })
    );
    assert_eq!(flash["confusions"]["deleted"].as_array().unwrap().len(), 2);
    close(&pro["keywords"]["recall"], 0.5);
    close(&flash["keywords"]["recall"], 1.0);

    // Intervals, and the comparison of models over the five samples with a
    // reference, in three blocks: too few to tell anything apart.
    assert_eq!(
        (
            &found["comparison"]["samples"],
            &found["comparison"]["blocks"]
        ),
        (&json!(5), &json!(3))
    );
    let pair = &found["comparison"]["pairs"][0];
    assert_eq!((&pair["a"], &pair["b"]), (&json!(PRO), &json!(FLASH)));
    close(&pair["difference"], 0.0);
    assert_eq!(
        (
            &pair["distinguishable"],
            &pair["p_value"],
            &pair["p_adjusted"]
        ),
        (&json!(false), &json!(1.0), &json!(1.0))
    );
    // Three blocks are too few for a guess, and for intervals that hold.
    assert_eq!(pair["more_blocks"], Value::Null);
    assert_eq!(pro["wer_interval"]["reliable"], false);
    let comparison = &found["comparison"];
    assert_eq!(comparison["reliable"], false);
    assert_eq!(comparison["test"], "paired_permutation");
    assert_eq!(comparison["adjustment"], "holm");
    assert_eq!(comparison["comparisons"], 1);
    assert_eq!(comparison["more_blocks"], Value::Null);
    assert_eq!(pro["rank"], json!({ "group": 1, "best": 1, "worst": 2 }));
    close(&pro["wer_interval"]["rate"], 3.0 / 12.0);
    assert!(pro["wer_interval"]["low"].as_f64().unwrap() <= 0.25);
    assert!(pro["cer_interval"]["high"].as_f64().unwrap() >= 9.0 / 62.0);

    // Parts.
    assert_eq!(found["languages"].as_array().unwrap().len(), 1);
    assert_eq!(found["languages"][0]["value"], "en");
    close(&found["languages"][0]["providers"][PRO]["wer"], 3.0 / 12.0);
    let groups = found["groups"]["groups"].as_array().unwrap();
    let values: Vec<&Value> = groups.iter().map(|group| &group["value"]).collect();
    assert_eq!(values, [&json!("x"), &json!("y")]);
    close(&groups[0]["providers"][FLASH]["wer"], 3.0 / 6.0);
    close(&groups[1]["providers"][PRO]["answered"]["wer"], 0.0);
    close(&groups[1]["providers"][PRO]["wer"], 2.0 / 6.0);
    // Of fewer than ten clips no interval is told.
    assert_eq!(
        groups[0]["wer_intervals"],
        json!({ PRO: null, FLASH: null })
    );

    // The second time it is read, not made.
    let path = format!("/runs/{}/report?group_by=place&block_by=speaker", id(&run));
    assert_eq!(*client.get(&path).await.data(200), found);
    let objects = &machine.node.app.objects;
    let project = "demo".parse().unwrap();
    let prefix = report_prefix(&project, id(&run).parse().unwrap());
    let ready = machine.node.ready_line();
    let kept = machine.node.cloud.s3_client().list_objects_v2();
    let kept = kept
        .bucket(ready["bucket"].as_str().unwrap())
        .prefix(&prefix);
    let kept = kept.send().await.unwrap();
    // Two, when the run was closed in between.
    assert!((1..=2).contains(&kept.contents().len()), "a report is kept");
    // Another review: another report.
    let first = id(&results[0]);
    let _ = client
        .patch(&format!("/results/{first}"), &json!({ "is_correct": null }))
        .await
        .data(200);
    let again = report(&client, &run, "group_by=place&block_by=speaker").await;
    assert_eq!(of(&again, PRO)["human"]["correct"], 2);
    // Other free fields: other groups, though the run is the same.
    let samples = format!("/datasets/{}?include_samples=true", id(&made));
    let samples = client.get(&samples).await.data(200)["samples"].clone();
    let path = format!("/samples/{}", id(&samples[0]));
    let _ = client
        .patch(
            &path,
            &json!({ "metadata": { "speaker": "a", "place": "z" } }),
        )
        .await
        .data(200);
    let moved = report(&client, &run, "group_by=place&block_by=speaker").await;
    assert_eq!(moved["groups"]["groups"].as_array().unwrap().len(), 3);

    assert_eq!(
        objects.get(&format!("{prefix}none.json")).await,
        Err(ObjectError::Missing)
    );
    machine.stop().await;
}

/// Generated data: a model that gets vowel signs wrong, and one that misses a
/// word now and then. A normaliser that blanks marks can't tell the first from
/// a perfect one and names it the winner (`shared/scoring/tests/scoring_ranking.rs`);
/// here the order is that of what readers see.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_vowel_signs_do_not_win() {
    let machine = Machine::start().await;
    let client = machine.client("demo");
    let rows = [
        (
            "किसान मंडी में गेहूँ बेचता है",
            "किसान मंडी में गेहूँ है",
            "किसन मंडि में गेहूं बेचति हैं",
        ),
        (
            "कल सुबह बारिश होगी",
            "कल सुबह बारिश होगी",
            "कल सूबह बारीश होगि",
        ),
        ("बच्चे को बुखार है", "बच्चे को है", "बच्चि को बूखार है"),
        ("पानी साफ रखो", "पानी साफ रखो", "पानि साफ रखौ"),
        ("दवा रोज लो", "दवा रोज लो", "दवी रोज लो"),
        ("खेत में खाद डालो", "खेत में खाद डालो", "खित में खाद डालौ"),
    ];
    let samples: Vec<Told> = rows
        .iter()
        .map(|(reference, words, signs)| told(reference, Some(words), Some(signs), json!({})))
        .collect();
    let made = dataset(&machine, &client, json!({ "language": "hi" }), &samples).await;
    let run = run(&machine, &client, &made).await;
    let found = report(&client, &run, "").await;
    let (words, signs) = (of(&found, PRO), of(&found, FLASH));
    close(&words["score"]["wer"], 2.0 / 24.0);
    assert!(signs["score"]["wer"].as_f64().unwrap() > 0.5, "{signs}");
    let pair = &found["comparison"]["pairs"][0];
    assert_eq!(
        (&pair["a"], &pair["distinguishable"]),
        (&json!(PRO), &json!(true)),
        "{pair}"
    );
    assert!(pair["p_value"].as_f64().unwrap() < 0.05);
    assert_eq!(
        (&words["rank"]["group"], &signs["rank"]["group"]),
        (&json!(1), &json!(2))
    );
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_of_ten_clips_have_intervals_and_clips_are_spread_over_rates() {
    let machine = Machine::start().await;
    let client = machine.client("demo");
    let said = "one two three four";
    let samples: Vec<Told> = (0..15)
        .map(|index| {
            let heard = if index % 3 == 0 {
                said
            } else {
                "one two three"
            };
            let place = if index < 12 { "x" } else { "y" };
            let invented = "one two three four and five words it made up";
            told(said, Some(heard), Some(invented), json!({ "place": place }))
        })
        .collect();
    let made = dataset(&machine, &client, json!({}), &samples).await;
    let run = run(&machine, &client, &made).await;
    let found = report(&client, &run, "group_by=place").await;

    let groups = found["groups"]["groups"].as_array().unwrap();
    let interval = &groups[0]["wer_intervals"][PRO];
    close(&interval["rate"], 8.0 / 48.0);
    assert!(interval["low"].as_f64().unwrap() < 8.0 / 48.0, "{interval}");
    assert!(
        interval["high"].as_f64().unwrap() > 8.0 / 48.0,
        "{interval}"
    );
    assert_eq!(interval["reliable"], true);
    // Its blocks do not vary.
    assert_eq!(groups[0]["wer_intervals"][FLASH], Value::Null);
    assert_eq!(
        groups[1]["wer_intervals"],
        json!({ PRO: null, FLASH: null })
    );
    let language = &found["languages"][0]["wer_intervals"][PRO];
    assert_eq!(language, &of(&found, PRO)["wer_interval"]);

    let samples_at = |model, bucket: usize| &of(&found, model)["distribution"][bucket];
    let of_pro = json!({ "above": null, "up_to": 0.0, "samples": 5 });
    assert_eq!(samples_at(PRO, 0), &of_pro);
    let a_quarter = json!({ "above": 0.2, "up_to": 0.3, "samples": 10 });
    assert_eq!(samples_at(PRO, 3), &a_quarter);
    let beyond = json!({ "above": 1.0, "up_to": null, "samples": 15 });
    assert_eq!(samples_at(FLASH, 11), &beyond);
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clips_that_count_nowhere_are_told() {
    let machine = Machine::start().await;
    let client = machine.client("demo");
    let unknown = Told {
        reference: None,
        ..told("", Some("one"), Some("two"), json!({}))
    };
    let silent = || told("", Some("you you"), Some(""), json!({}));
    let warned = async |samples: &[Told], code: &str| {
        let name = json!({ "name": format!("{code} {}", samples.len()) });
        let made = dataset(&machine, &client, name, samples).await;
        let run = run(&machine, &client, &made).await;
        let found = report(&client, &run, "").await;
        let mut warnings = found["warnings"].as_array().unwrap().iter();
        let told = warnings.find(|warning| warning["code"] == code);
        told.map(|told| (told["count"].as_u64().unwrap(), told["message"].to_string()))
    };
    let spoken = || told("one two", Some("one two"), Some("one"), json!({}));
    let all = [unknown, spoken(), silent()];
    let (count, text) = warned(&all, "no_reference").await.unwrap();
    assert!(
        count == 1 && text.contains("1 of 3 clips has no reference"),
        "{text}"
    );
    assert_eq!(warned(&all[1..], "no_reference").await, None);
    assert_eq!(warned(&all, "no_words").await, None);
    let (count, text) = warned(&[silent(), silent()], "no_words").await.unwrap();
    assert!(
        count == 4 && text.contains(&format!("{PRO} 4, {FLASH} 0")),
        "{text}"
    );
}
