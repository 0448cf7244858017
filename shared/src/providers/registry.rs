//! The vendors there are, and what is looked up among them.

use std::sync::Arc;

use super::consult::Consult;
use super::model::Model;
use super::price::{ExchangeRates, Price};
use super::vendor::{Adapter, Client, Settings, SetupError, Vendor};
use super::{
    assemblyai, custom, deepgram, elevenlabs, gemini, groq, mistral, openai, sarvam, transcribe,
};
use crate::deadline::Deadline;

/// Vendors and their clients, from one list.
macro_rules! vendors {
    ($($name:ident),* $(,)?) => {
        /// Every vendor of this release.
        pub static VENDORS: &[&Vendor] = &[$(&$name::VENDOR),*];

        /// The same with their clients, for functions that give them work.
        pub static CLIENTS: &[&Client] = &[$(&$name::CLIENT),*];
    };
}

// One line each.
vendors! {
    assemblyai,
    custom,
    deepgram,
    elevenlabs,
    gemini,
    groq,
    mistral,
    openai,
    sarvam,
    transcribe,
}

/// A vendor and what it is asked with.
#[derive(Clone)]
struct Connected {
    vendor: &'static Vendor,
    consult: Arc<dyn Consult>,
    /// Where it is given work.
    adapter: Option<Adapter>,
}

impl Connected {
    fn with(vendor: &'static Vendor, adapter: Adapter) -> Self {
        Self {
            vendor,
            consult: adapter.consult(),
            adapter: Some(adapter),
        }
    }
}

/// Vendors with their clients. Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    connected: Arc<[Connected]>,
    rates: ExchangeRates,
}

/// A vendor's client could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{vendor}: {error}")]
pub struct RegistryError {
    /// The vendor's name.
    pub vendor: &'static str,
    /// What is wrong.
    pub error: SetupError,
}

impl Registry {
    /// Makes the clients of vendors, each with its settings; makes no request.
    pub fn connect(
        clients: &[&'static Client],
        settings: impl Fn(&'static Vendor) -> Settings,
    ) -> Result<Self, RegistryError> {
        let connect = |client: &&'static Client| {
            let made = (client.connect)(&settings(client.vendor));
            let made = made.map(|adapter| Connected::with(client.vendor, adapter));
            made.map_err(|error| failed(client.vendor, error))
        };
        Self::of(clients.iter().map(connect))
    }

    /// The same for a function that gives them no work.
    pub fn consult(
        vendors: &[&'static Vendor],
        settings: impl Fn(&'static Vendor) -> Settings,
    ) -> Result<Self, RegistryError> {
        let consult = |vendor: &&'static Vendor| {
            let made = (vendor.consult)(&settings(vendor));
            let made = made.map(|consult| Connected {
                vendor,
                consult,
                adapter: None,
            });
            made.map_err(|error| failed(vendor, error))
        };
        Self::of(vendors.iter().map(consult))
    }

    fn of(
        connected: impl Iterator<Item = Result<Connected, RegistryError>>,
    ) -> Result<Self, RegistryError> {
        Ok(Self {
            connected: connected.collect::<Result<_, _>>()?,
            rates: ExchangeRates::ASSUMED,
        })
    }

    /// The same with prices in other currencies at these rates. A vendor that has such
    /// prices is made anew and kept for good, so this is for the start of a process.
    #[must_use]
    pub fn at(&self, rates: ExchangeRates) -> Self {
        let at = |connected: &Connected| Connected {
            vendor: priced(connected.vendor, &rates),
            ..connected.clone()
        };
        Self {
            connected: self.connected.iter().map(at).collect(),
            rates,
        }
    }

    /// What prices in other currencies are told in dollars at.
    #[must_use]
    pub fn rates(&self) -> &ExchangeRates {
        &self.rates
    }

    /// The same with one vendor more, whose client is made already.
    #[must_use]
    pub fn and(&self, vendor: &'static Vendor, adapter: Adapter) -> Self {
        let more = Connected::with(vendor, adapter);
        Self {
            connected: self.connected.iter().cloned().chain([more]).collect(),
            rates: self.rates,
        }
    }

    /// The same with another client of a vendor that is there.
    #[must_use]
    pub fn by(&self, vendor: &'static Vendor, adapter: &Adapter) -> Self {
        let other = |connected: &Connected| match connected.vendor.name == vendor.name {
            true => Connected::with(vendor, adapter.clone()),
            false => connected.clone(),
        };
        Self {
            connected: self.connected.iter().map(other).collect(),
            rates: self.rates,
        }
    }

    /// The same, with calls that end before the deadline.
    #[must_use]
    pub fn within(&self, deadline: Deadline) -> Self {
        let within = |connected: &Connected| match &connected.adapter {
            Some(adapter) => Connected::with(connected.vendor, adapter.within(deadline)),
            None => connected.clone(),
        };
        Self {
            connected: self.connected.iter().map(within).collect(),
            rates: self.rates,
        }
    }

    /// The vendors.
    pub fn vendors(&self) -> impl Iterator<Item = &'static Vendor> + '_ {
        self.connected.iter().map(|connected| connected.vendor)
    }

    /// Every model of every vendor.
    pub fn models(&self) -> impl Iterator<Item = &'static Model> + '_ {
        self.vendors().flat_map(|vendor| vendor.models)
    }

    /// The model with this catalogue id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&'static Model> {
        self.models().find(|model| model.id == id)
    }

    /// The model that a vendor knows by this name.
    #[must_use]
    pub fn find_by_model(&self, vendor: &str, model: &str) -> Option<&'static Model> {
        let models = self.vendor(vendor)?.models;
        models.iter().find(|known| known.model == model)
    }

    /// The vendor of this name, or of models that each have a credential of their own:
    /// `custom/<name>` is of `custom`.
    #[must_use]
    pub fn vendor(&self, name: &str) -> Option<&'static Vendor> {
        let name = family(name);
        self.vendors().find(|vendor| vendor.name == name)
    }

    fn connected(&self, name: &str) -> Option<&Connected> {
        let name = family(name);
        let mut connected = self.connected.iter();
        connected.find(|connected| connected.vendor.name == name)
    }

    /// What the vendor of this name, as [`vendor`](Self::vendor) reads it, is asked with
    /// without being given work.
    #[must_use]
    pub fn consulted(&self, name: &str) -> Option<&dyn Consult> {
        Some(&*self.connected(name)?.consult)
    }

    /// The client of that vendor, where it is given work.
    #[must_use]
    pub fn adapter(&self, name: &str) -> Option<&Adapter> {
        self.connected(name)?.adapter.as_ref()
    }
}

fn failed(vendor: &Vendor, error: SetupError) -> RegistryError {
    RegistryError {
        vendor: vendor.name,
        error,
    }
}

/// What stands before the slash of a vendor's name, if there is one.
fn family(name: &str) -> &str {
    name.split_once('/').map_or(name, |(family, _)| family)
}

/// A vendor with its prices at these rates: itself, where none of them is changed by that.
fn priced(vendor: &'static Vendor, rates: &ExchangeRates) -> &'static Vendor {
    let differs = |price: &Price| price.currency != price.currency.at(rates);
    let mut prices = vendor.models.iter().flat_map(|model| model.prices);
    if !prices.any(differs) {
        return vendor;
    }
    let price = |price: &Price| Price {
        currency: price.currency.at(rates),
        ..*price
    };
    let model = |model: &Model| Model {
        prices: model.prices.iter().map(price).collect::<Vec<_>>().leak(),
        ..*model
    };
    let models: Vec<Model> = vendor.models.iter().map(model).collect();
    Box::leak(Box::new(Vendor {
        models: models.leak(),
        ..*vendor
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use time::macros::date;

    use super::*;
    use crate::audio::AudioFormat;
    use crate::domain::language;
    use crate::providers::model::Lifecycle;
    use crate::providers::{AudioBy, ItemOutcome, OutputLine, Works};

    fn all() -> Registry {
        let settings = Settings {
            base_url: None,
            loopback: false,
            grace: Duration::from_secs(600),
        };
        Registry::connect(CLIENTS, |_| settings.clone()).unwrap()
    }

    #[test]
    fn every_vendor_is_what_its_client_is() {
        let registry = all();
        let names: BTreeSet<_> = registry.vendors().map(|vendor| vendor.name).collect();
        assert_eq!(names.len(), VENDORS.len());
        for vendor in registry.vendors() {
            let adapter = registry.adapter(vendor.name).unwrap();
            let works = match vendor.works {
                Works::Jobs => adapter.jobs().is_some(),
                Works::Calls | Works::Commands => adapter.calls().is_some(),
            };
            assert!(works && adapter.jobs().is_some() != adapter.calls().is_some());
            let stages = adapter
                .jobs()
                .is_some_and(|jobs| jobs.audio_store().is_some());
            assert_eq!(stages, vendor.audio == AudioBy::Staged, "{}", vendor.name);
            assert!(vendor.unit.samples > 0 && vendor.unit.bytes > 0);
            assert!(!vendor.timing.poll_pauses.is_empty());
            for model in vendor.models {
                assert_eq!(model.provider, vendor.name, "{}", model.id);
            }
        }
        assert!(registry.vendor("").is_none() && registry.adapter("none").is_none());
        assert_eq!(registry.vendor("custom/a").unwrap().name, "custom");
        assert!(registry.adapter("custom/a").unwrap().calls().is_some());
    }

    #[test]
    fn every_entry_is_whole() {
        let registry = all();
        let now = date!(2026 - 11 - 23);
        let ids: BTreeSet<_> = registry.models().map(|m| m.id).collect();
        assert_eq!(ids.len(), registry.models().count());
        for model in registry.models() {
            let id = model.id;
            assert!(
                !model.prices.is_empty() && !model.display_name.is_empty(),
                "{id}"
            );
            let prices = model.prices;
            assert!(prices.is_sorted_by(|a, b| a.valid_from < b.valid_from));
            assert!(prices.iter().all(|price| price.currency.in_usd() > 0.0));
            assert!(!model.formats.is_empty(), "{id}");
            for format in model.formats {
                let known = AudioFormat::from_content_type(format.mime_type);
                let known = known.map(|format| format.to_string());
                assert_eq!(known.as_deref(), Some(format.name), "{id}");
            }
            assert_eq!(model.mime_type("aiff"), None);
            assert!(model.price_per_audio_hour_usd(now) >= 0.0);
            assert_eq!(registry.find(id), Some(model));
            assert_eq!(
                registry.find_by_model(model.provider, model.model),
                Some(model)
            );
            assert!(!model.supports_language("fr"));
            let languages = model.supported_languages();
            assert!(
                !languages.is_empty() && languages.len() <= language::all().len(),
                "{id}"
            );
            for language in languages {
                assert!(model.language_code(language.code).is_some());
            }
            if let Lifecycle::RoutedTo(other) = model.lifecycle {
                assert!(registry.find(other).is_some());
            }
        }
        assert!(registry.find("gemini").is_none() && registry.find("").is_none());
        assert!(registry.find_by_model("google", "gemini-2.5-pro").is_some());
        assert!(
            registry
                .find_by_model("another", "gemini-2.5-pro")
                .is_none()
        );
    }

    /// What a vendor measured is what it bills; one that tells nothing is billed by our
    /// own measure. Each by an answer in its own form.
    #[test]
    fn a_call_costs_what_its_vendor_measured() {
        let registry = all();
        let day = date!(2026 - 11 - 27);
        let ours = 40.0;
        for (id, answer, billed) in [
            (
                "openai/gpt-transcribe",
                r#"{"text":"x","usage":{"type":"duration","seconds":61}}"#,
                61.0,
            ),
            ("openai/gpt-transcribe", r#"{"text":"x"}"#, ours),
            // Ten seconds at least.
            (
                "groq/whisper-large-v3",
                r#"{"text":"x","duration":4.2,"segments":[{"end":3.9}]}"#,
                10.0,
            ),
            ("groq/whisper-large-v3-turbo", r#"{"text":"x"}"#, ours),
            (
                "mistral/voxtral-mini-transcribe-3",
                r#"{"text":"x","usage":{"prompt_audio_seconds":62}}"#,
                62.0,
            ),
            (
                "elevenlabs/scribe_v1",
                r#"{"text":"x","audio_duration_secs":63.5}"#,
                63.5,
            ),
            (
                "deepgram/nova-3",
                r#"{"metadata":{"duration":64.25},"results":{"channels":[{"alternatives":[{"transcript":"x"}]}]}}"#,
                64.25,
            ),
        ] {
            let model = registry.find(id).unwrap();
            let adapter = registry.adapter(model.provider).unwrap();
            let line = format!(r#"{{"key":"k","latency_ms":1,"answer":{answer}}}"#);
            let OutputLine::Item {
                outcome: ItemOutcome::Transcribed { usage, .. },
                ..
            } = adapter.lines().read_line(line.as_bytes())
            else {
                panic!("{id}: {answer}")
            };
            let cost = model.cost_usd(&usage, ours, day);
            let want = model.estimate_usd(0, billed, day);
            assert!((cost - want).abs() < 1e-12 && want > 0.0, "{id}: {cost}");
        }
    }

    #[test]
    fn prices_in_other_currencies_go_by_the_operators_rate() {
        let hour = |registry: &Registry, id: &str| {
            let model = registry.find(id).unwrap();
            model.price_per_audio_hour_usd(date!(2026 - 11 - 26))
        };
        let assumed = all();
        let (rupees, dollars) = ("sarvam/saaras-v4", "deepgram/nova-3");
        let doubled = ExchangeRates {
            rupee_in_usd: 2.0 * ExchangeRates::ASSUMED.rupee_in_usd,
        };
        let set = assumed.at(doubled);
        assert_eq!(set.rates(), &doubled);
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
        near(hour(&set, rupees), 2.0 * hour(&assumed, rupees));
        near(hour(&set, dollars), hour(&assumed, dollars));
        let same =
            |name: &str| std::ptr::eq(set.vendor(name).unwrap(), assumed.vendor(name).unwrap());
        assert!(same("deepgram") && !same("sarvam"));
    }
}
