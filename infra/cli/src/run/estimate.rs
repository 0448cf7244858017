//! What a run will cost, clip by clip, before anything is sent.
//!
//! It is estimated as the deployment does, from the prices that its catalogue tells. The higher
//! price of requests that are hours long is not among them.

use stt_eval_audio::AudioFormat;
use stt_eval_domain::usage::tokens_at_most;
use stt_eval_wire::catalogue::{Model, Price};

use super::languages::code;
use super::plan::{Clip, Plan};
use crate::failure::{Exit, Failure};

/// An estimate may be so much above what was agreed to before it is asked about again.
pub const WITHIN: f64 = 1.25;

/// Most tokens around a prompt, and of names in place of its placeholders.
const AROUND: u64 = 32;

/// US dollars for what a model takes of a plan, with a prompt in place of the usual one.
pub fn of_model(plan: &Plan, model: &Model, prompt: Option<&str>) -> f64 {
    let taken = plan.clips.iter().filter(|clip| takes(model, plan, clip));
    // Each clip is priced in whole millionths.
    let micro = taken.fold(0.0, |sum, clip| {
        sum + (of_clip(model, clip.seconds, prompt) * 1e6).ceil()
    });
    micro / 1e6
}

fn of_clip(model: &Model, seconds: f64, prompt: Option<&str>) -> f64 {
    let by_the_hour = seconds / 3_600.0 * model.price_per_audio_hour_usd;
    // A deployment that is older than this program tells no more.
    let Some(price) = model.price.as_ref().filter(|price| price.share > 0.0) else {
        return by_the_hour;
    };
    let cost = match price.per_audio_hour {
        Some(per_hour) => billed(price, seconds) / 3_600.0 * per_hour * price.share,
        None => of_tokens(price, seconds, prompt) * price.share / 1e6,
    };
    cost * price.in_usd
}

/// The length that is billed.
fn billed(price: &Price, seconds: f64) -> f64 {
    let billed = seconds.max(price.minimum_seconds);
    match price.step_seconds {
        step if step > 0.0 => (billed / step).ceil() * step,
        _ => billed,
    }
}

/// What a million such requests cost, by the whole tokens of one.
fn of_tokens(price: &Price, seconds: f64, prompt: Option<&str>) -> f64 {
    let of = |per_second: u64| (seconds * per_second as f64).round();
    let text = match prompt {
        Some(own) if price.prompt_tokens > 0 => tokens_at_most(own) + AROUND,
        _ => price.prompt_tokens,
    };
    let parts = [
        (of(price.audio_per_second), price.audio_input),
        (text as f64, price.text_input),
        (of(price.output_per_second), price.output),
    ];
    let cost = |(tokens, rate): (f64, Option<f64>)| tokens * rate.unwrap_or_default();
    parts.map(cost).iter().sum()
}

/// Whether a model takes a clip; what it does not take costs nothing.
fn takes(model: &Model, plan: &Plan, clip: &Clip) -> bool {
    let format = AudioFormat::from_content_type(clip.upload.content_type);
    let format = format.map(|format| format.to_string());
    let language = clip.said.language.as_deref().unwrap_or(&plan.language);
    let audio = &model.audio;
    format.is_some_and(|format| audio.formats.contains(&format))
        && clip.upload.size <= audio.max_bytes
        && clip.seconds <= f64::from(audio.max_seconds)
        && model.languages.contains(&code(language))
}

/// Refuses what would not be done to its end within what it may cost.
///
/// # Errors
/// The estimate is above it.
pub fn within_cap(cost: f64, cap: Option<f64>, whose: &str) -> Result<(), Failure> {
    match cap {
        Some(cap) if cost > cap => {
            // A cap of what is told is enough.
            let enough = (cost * 1e6 - 1e-6).ceil() / 1e6;
            let message = format!("{whose}, ${enough}, is above --max-cost {cap}");
            Err(Failure::new(Exit::Usage, "above_max_cost", message)
                .hint("a higher --max-cost, fewer models, or --limit N; nothing was transcribed"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_clips_are_billed_by_the_meter_of_the_vendor() {
        let price = |minimum_seconds, step_seconds| Price {
            unit: "audio_hour".to_owned(),
            currency: "USD".to_owned(),
            in_usd: 1.0,
            per_audio_hour: Some(0.36),
            audio_input: None,
            text_input: None,
            output: None,
            minimum_seconds,
            step_seconds,
            share: 1.0,
            audio_per_second: 0,
            output_per_second: 0,
            prompt_tokens: 0,
            read_at: String::new(),
        };
        for ((least, step), seconds, wanted) in [
            ((10.0, 1.0), 0.5, 10.0),
            ((10.0, 1.0), 10.2, 11.0),
            ((0.0, 0.0), 0.5, 0.5),
            ((0.0, 15.0), 16.0, 30.0),
        ] {
            let found = billed(&price(least, step), seconds);
            assert!((found - wanted).abs() < 1e-9, "{found} {wanted}");
        }
    }

    #[test]
    fn what_is_above_the_most_is_refused_with_what_would_be_enough() {
        assert!(within_cap(0.3, Some(0.3), "it").is_ok() && within_cap(9.0, None, "it").is_ok());
        let refused = within_cap(0.300_000_4, Some(0.3), "the estimate").unwrap_err();
        assert_eq!(refused.exit, Exit::Usage);
        assert_eq!(
            refused.message,
            "the estimate, $0.300001, is above --max-cost 0.3"
        );
    }
}
