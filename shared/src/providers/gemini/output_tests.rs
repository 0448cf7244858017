//! Lines of every kind that was recorded or documented (shapes of
//! `PROTOCOL.md` §2.5 and §3.3, written anew), and of every kind that
//! should not exist.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn item(line: Value) -> (String, ItemOutcome) {
    match parse_line(line.to_string().as_bytes()) {
        OutputLine::Item { key, outcome } => (key, outcome),
        other => panic!("{other:?} from {line}"),
    }
}

fn code(line: Value) -> String {
    match item(line.clone()).1 {
        ItemOutcome::Failed { code, message, .. } => {
            assert!(message.ends_with('.') && !message.contains("upstream"));
            code
        }
        ItemOutcome::Transcribed { .. } => panic!("transcribed: {line}"),
    }
}

fn good(line: Value) -> String {
    match item(line.clone()).1 {
        ItemOutcome::Transcribed { text, .. } => text,
        ItemOutcome::Failed { code, .. } => panic!("{code}: {line}"),
    }
}

fn answer(parts: Value, finish: &str) -> Value {
    json!({"response": {"candidates": [{
        "content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0,
    }]}, "key": "k"})
}

#[test]
fn a_recorded_shape() {
    let (key, outcome) = item(json!({
        "response": {
            "candidates": [{
                "content": {"role": "model", "parts": [
                    {"text": "  नमस्ते दुनिया\n", "thoughtSignature": "AbCd=="},
                ]},
                "finishReason": "STOP",
                "index": 0,
            }],
            "usageMetadata": {
                "promptTokenCount": 420,
                "candidatesTokenCount": 12,
                "totalTokenCount": 500,
                "promptTokensDetails": [
                    {"modality": "TEXT", "tokenCount": 100},
                    {"modality": "AUDIO", "tokenCount": 320},
                ],
                "thoughtsTokenCount": 68,
                "serviceTier": "SERVICE_TIER_STANDARD",
            },
            "modelVersion": "gemini-2.5-pro-002",
            "responseId": "abc",
        },
        "key": "smp_01.wav",
    }));
    assert_eq!(key, "smp_01.wav");
    assert_eq!(
        outcome,
        ItemOutcome::Transcribed {
            text: "नमस्ते दुनिया".to_owned(),
            word_times: WordTimes::default(),
            model_version: Some("gemini-2.5-pro-002".to_owned()),
            usage: Usage {
                audio_input_tokens: 320,
                text_input_tokens: 100,
                output_tokens: 12,
                thinking_tokens: 68,
                cached_input_tokens: 0,
                ..Usage::default()
            },
        }
    );
}

#[test]
fn parts_are_joined_without_thoughts() {
    let parts = json!([
        {"text": "let me think", "thought": true},
        {"text": "one "},
        {"thoughtSignature": "x"},
        {"text": "two", "thought": false},
        {},
    ]);
    assert_eq!(good(answer(parts, "STOP")), "one two");
    let thoughts = json!([{"text": "only thoughts", "thought": true}]);
    assert_eq!(code(answer(thoughts, "STOP")), "empty_output");
}

#[test]
fn silence_and_emptiness() {
    assert_eq!(good(answer(json!([{"text": "[no speech]\n"}]), "STOP")), "");
    assert_eq!(
        code(answer(json!([{"text": " \n "}]), "STOP")),
        "empty_output"
    );
    assert_eq!(code(answer(json!([]), "STOP")), "empty_output");
    let bare =
        |candidate: Value| code(json!({"key": "k", "response": {"candidates": [candidate]}}));
    assert_eq!(bare(json!({"finishReason": "STOP"})), "empty_output");
    assert_eq!(
        bare(json!({"finishReason": "STOP", "content": {}})),
        "empty_output"
    );
    assert_eq!(
        bare(json!({"finishReason": "STOP", "content": {"role": "model"}})),
        "empty_output"
    );
    for response in [
        json!({}),
        json!({"candidates": []}),
        json!({"candidates": null}),
    ] {
        assert_eq!(
            code(json!({"key": "k", "response": response})),
            "empty_output"
        );
    }
}

#[test]
fn finish_reasons() {
    for (reason, want) in [
        ("MAX_TOKENS", "max_tokens"),
        ("SAFETY", "blocked_safety"),
        ("RECITATION", "blocked_recitation"),
        ("BLOCKLIST", "blocked_blocklist"),
        ("PROHIBITED_CONTENT", "blocked_prohibited_content"),
        ("SPII", "blocked_spii"),
        ("LANGUAGE", "unsupported_language"),
        ("MODEL_ARMOR", "blocked_model_armor"),
        ("MALFORMED_RESPONSE", "malformed_output"),
        ("OTHER", "incomplete_output"),
        ("FINISH_REASON_UNSPECIFIED", "incomplete_output"),
        ("A_REASON_OF_2027", "incomplete_output"),
    ] {
        // Partial text is not a success.
        assert_eq!(code(answer(json!([{"text": "half a"}]), reason)), want);
    }
    let mut none = answer(json!([{"text": "half a"}]), "STOP");
    none["response"]["candidates"][0]["finishReason"].take();
    assert_eq!(code(none), "incomplete_output");
}

#[test]
fn blocked_prompts() {
    for (reason, want) in [
        ("SAFETY", "blocked_safety"),
        ("OTHER", "blocked_other"),
        ("BLOCKLIST", "blocked_blocklist"),
        ("PROHIBITED_CONTENT", "blocked_prohibited_content"),
        ("IMAGE_SAFETY", "blocked_safety"),
        ("MODEL_ARMOR", "blocked_model_armor"),
        ("JAILBREAK", "blocked_jailbreak"),
        ("NEW", "blocked_other"),
    ] {
        let line = json!({"key": "k", "response": {
            "promptFeedback": {"blockReason": reason},
            "usageMetadata": {"promptTokenCount": 330, "totalTokenCount": 330},
        }});
        assert_eq!(code(line.clone()), want);
        // What was blocked was read, and is billed.
        match item(line).1 {
            ItemOutcome::Failed {
                usage, retryable, ..
            } => {
                assert_eq!(usage.audio_input_tokens, 330);
                assert!(!retryable);
            }
            ItemOutcome::Transcribed { .. } => panic!(),
        }
    }
}

#[test]
fn errors_of_an_item() {
    for (error_code, want, again) in [
        (1, "provider_cancelled", true),
        (3, "provider_rejected", false),
        (400, "provider_rejected", false),
        (5, "input_unavailable", true),
        (7, "input_unavailable", true),
        (8, "provider_quota", true),
        (429, "provider_quota", true),
        (13, "provider_error", true),
        (14, "provider_error", true),
        (16, "provider_unauthorized", true),
        (500, "provider_error", true),
        (777, "provider_error", true),
    ] {
        for member in ["error", "status"] {
            let line = json!({
                "key": "k",
                member: {"code": error_code, "message": "upstream text", "details": []},
            });
            assert_eq!(code(line.clone()), want);
            match item(line).1 {
                ItemOutcome::Failed { retryable, .. } => assert_eq!(retryable, again, "{want}"),
                ItemOutcome::Transcribed { .. } => panic!(),
            }
        }
    }
    for odd in [
        json!("upstream"),
        json!({}),
        json!(5),
        json!([]),
        json!({"message": "upstream"}),
    ] {
        assert_eq!(
            code(json!({"key": "k", "error": odd})),
            "provider_error",
            "{odd}"
        );
    }
    assert_eq!(
        code(json!({"key": "k", "error": {"code": "3"}})),
        "provider_rejected"
    );
}

#[test]
fn an_error_wins_over_a_response_but_no_error_does_not() {
    let mut line = answer(json!([{"text": "hello"}]), "STOP");
    for nothing in [json!(null), json!({}), json!({"code": 0}), json!("")] {
        line["status"] = nothing.clone();
        assert_eq!(good(line.clone()), "hello", "{nothing}");
    }
    line["error"] = json!({"code": 13, "message": "upstream"});
    assert_eq!(code(line), "provider_error");
}

#[test]
fn keys() {
    let (key, _) = item(json!({"metadata": {"key": "inner"}, "response": {}}));
    assert_eq!(key, "inner");
    let (key, _) = item(json!({"key": "outer", "metadata": {"key": "inner"}}));
    assert_eq!(key, "outer");
    for odd in [
        json!(1),
        json!(""),
        json!(null),
        json!(["k"]),
        json!("k".repeat(300)),
    ] {
        let line = json!({"key": odd, "response": {}}).to_string();
        assert!(
            matches!(parse_line(line.as_bytes()), OutputLine::Malformed { .. }),
            "{odd}"
        );
    }
}

#[test]
fn an_item_without_anything() {
    assert_eq!(code(json!({"key": "k"})), "provider_malformed");
    assert_eq!(
        code(json!({"key": "k", "response": null, "error": null})),
        "provider_malformed"
    );
    assert_eq!(
        code(json!({"key": "k", "status": {"code": 0}})),
        "provider_malformed"
    );
}

#[test]
fn wrong_types_are_malformed_answers() {
    for response in [
        json!("text"),
        json!([]),
        json!({"candidates": {}}),
        json!({"candidates": ["x"]}),
        json!({"candidates": [{"finishReason": 1}]}),
        json!({"candidates": [{"finishReason": "STOP", "content": {"parts": "x"}}]}),
        json!({"candidates": [{"finishReason": "STOP", "content": {"parts": [{"text": 5}]}}]}),
    ] {
        assert_eq!(
            code(json!({"key": "k", "response": response})),
            "provider_malformed"
        );
    }
}

#[test]
fn usage_in_odd_forms() {
    let of = |metadata: Value| {
        let mut line = answer(json!([{"text": "x"}]), "STOP");
        line["response"]["usageMetadata"] = metadata;
        match item(line).1 {
            ItemOutcome::Transcribed { usage, .. } => usage,
            ItemOutcome::Failed { code, .. } => panic!("{code}"),
        }
    };
    assert_eq!(of(json!(null)), Usage::default());
    assert_eq!(of(json!("x")), Usage::default());
    assert_eq!(
        of(json!({"promptTokenCount": -4, "candidatesTokenCount": 1.5})),
        Usage::default()
    );
    assert_eq!(of(json!({"promptTokenCount": "12"})).audio_input_tokens, 12);
    let audio_only = json!({"promptTokenCount": 12, "promptTokensDetails": [
        {"modality": "AUDIO", "tokenCount": "10"}, 5, {"modality": "AUDIO"},
    ]});
    let usage = of(audio_only);
    assert_eq!((usage.audio_input_tokens, usage.text_input_tokens), (10, 2));
    let huge = of(json!({"promptTokensDetails": [
        {"modality": "AUDIO", "tokenCount": u64::MAX}, {"modality": "AUDIO", "tokenCount": 1},
    ]}));
    assert_eq!(huge.audio_input_tokens, u64::MAX);
}

#[test]
fn versions_are_names() {
    let mut line = answer(json!([{"text": "x"}]), "STOP");
    for odd in [json!(4), json!(""), json!("a\nb"), json!("v".repeat(300))] {
        line["response"]["modelVersion"] = odd;
        match item(line.clone()).1 {
            ItemOutcome::Transcribed { model_version, .. } => assert_eq!(model_version, None),
            ItemOutcome::Failed { .. } => panic!(),
        }
    }
}

#[test]
fn lines_that_are_not_items() {
    for blank in [&b""[..], b"  \t", b"\r\n", b"\xef\xbb\xbf\n"] {
        assert_eq!(parse_line(blank), OutputLine::Blank);
    }
    let whole = br#"{"key":"k","response":{"candidates":[{"finishReason":"STOP"}]}}"#;
    let deep = format!("{{\"key\":\"k\",\"x\":{}", "[".repeat(100_000));
    let mut lines: Vec<&[u8]> = vec![
        b"<html><body>502 Bad Gateway</body></html>",
        b"{\"key\":\"secret transcript\"",
        b"{\"key\":\"\xff\xfe\"}",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b"\"k\"",
        b"{}",
        b"NaN",
        deep.as_bytes(),
    ];
    lines.extend((1..whole.len()).map(|end| &whole[..end]));
    for line in lines {
        match parse_line(line) {
            OutputLine::Malformed { reason } => {
                assert!(!reason.contains("secret") && reason.len() < 100, "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(parse_line(whole), OutputLine::Item { .. }));
}

#[test]
fn long_lines() {
    let long = "शब्द ".repeat(700_000);
    assert!(long.len() > 8_000_000);
    assert_eq!(good(answer(json!([{"text": long}]), "STOP")), long.trim());
    let too_long = vec![b'x'; MAX_LINE + 1];
    assert!(matches!(
        parse_line(&too_long),
        OutputLine::Malformed { .. }
    ));
}

/// JSON that looks like a result line in its names, with anything below.
fn odd_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|b| json!(b)),
        any::<i64>().prop_map(|n| json!(n)),
        any::<f64>().prop_map(|n| json!(n)),
        "(STOP|SAFETY|AUDIO|k|[a-z ]{0,5})".prop_map(|s| json!(s)),
    ];
    let name = prop::sample::select(vec![
        "key",
        "response",
        "error",
        "status",
        "code",
        "message",
        "candidates",
        "content",
        "parts",
        "text",
        "thought",
        "finishReason",
        "promptFeedback",
        "blockReason",
        "usageMetadata",
        "promptTokenCount",
        "promptTokensDetails",
        "modality",
        "tokenCount",
        "modelVersion",
        "metadata",
    ]);
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read(line: Vec<u8>) {
        let _ = parse_line(&line);
    }

    #[test]
    fn any_json_is_read(mut line in odd_json()) {
        if let Some(object) = line.as_object_mut() {
            object.insert("key".to_owned(), json!("k"));
            match parse_line(line.to_string().as_bytes()) {
                OutputLine::Item { key, outcome } => {
                    prop_assert_eq!(key, "k");
                    if let ItemOutcome::Failed { code, .. } = outcome {
                        prop_assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
                    }
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}

#[test]
fn an_answer_that_was_stopped_tells_how_much_of_it_was_reasoning() {
    for (thoughts, wrote, retryable, told) in [
        (0, 288, false, "The model wrote more than this length"),
        (
            4_090,
            6,
            true,
            "The model's reasoning took the room for its answer: 4090 of its 4096 tokens",
        ),
        (100, 4_000, false, "was stopped: 100 of its 4100 tokens"),
    ] {
        let mut line = answer(json!([{"text": "one"}]), "MAX_TOKENS");
        line["response"]["usageMetadata"] = json!({
            "promptTokenCount": 420, "cachedContentTokenCount": 64,
            "candidatesTokenCount": wrote, "thoughtsTokenCount": thoughts,
        });
        let OutputLine::Item {
            outcome:
                ItemOutcome::Failed {
                    code,
                    message,
                    retryable: again,
                    usage,
                    ..
                },
            ..
        } = parse_line(line.to_string().as_bytes())
        else {
            panic!("{line}");
        };
        assert_eq!((&*code, again), ("max_tokens", retryable));
        assert!(message.contains(told), "{message}");
        assert_eq!(usage.thinking_tokens, thoughts);
        assert_eq!(usage.cached_input_tokens, 64);
    }
}
