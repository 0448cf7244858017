//! Settings: who is signed in, and, for those who may, the keys of vendors and the
//! project's own models.

use askama::Template;
use stt_eval_wire::access::{Credential, Role};

use crate::RenderError;
use crate::figures::{counted, minute};
use crate::invisible::visible;
use crate::keys::role_name;
use crate::layout::Frame;
use crate::own_models::{OwnModels, Section};
use crate::texts::Text;
use crate::texts::keys::Keys as Name;
use crate::texts::settings::Settings;

/// Who is signed in, and how.
#[derive(Debug, Clone, Copy)]
pub struct You<'a> {
    /// The name given at sign-in.
    pub name: &'a str,
    /// The project of the key.
    pub project: &'a str,
    /// What the key may do.
    pub role: Role,
    /// Id of the key.
    pub key: &'a str,
    /// When the session ends by itself.
    pub until: &'a str,
}

/// A vendor whose models want a key, or are asked with the role of the deployment.
#[derive(Debug, Clone, Copy)]
pub struct Vendor<'a> {
    /// Its name, by which credentials are kept.
    pub name: &'a str,
    /// What it calls itself.
    pub title: &'a str,
    /// How many of its models there are.
    pub models: usize,
    /// Most characters of its key.
    pub longest: usize,
    /// Where it can be beside its usual place.
    pub regions: &'static [&'static str],
    /// What is shown of the key that is kept.
    pub kept: Option<&'a Credential>,
    /// Whether it is switched on, of one that is asked with the role of the deployment
    /// and has no key.
    pub by_role: Option<bool>,
}

/// What became of what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told<'a> {
    /// A key is kept.
    Saved,
    /// A key is gone.
    Removed,
    /// A model of the project's own was made.
    ModelMade,
    /// A key of a model of the project's own is replaced.
    ModelKeySaved,
    /// A model of the project's own is gone.
    ModelRemoved,
    /// A key was not kept.
    Refused {
        /// Name of its vendor.
        vendor: &'a str,
        /// The region that was chosen with it; empty for the usual one.
        region: &'a str,
        /// Why.
        why: &'a str,
        /// Whether it can be kept all the same: the vendor could not be asked.
        unasked: bool,
    },
}

/// What administrators see besides.
#[derive(Debug, Clone)]
pub struct OfAdmins<'a> {
    /// Vendors, by name.
    pub vendors: &'a [Vendor<'a>],
    /// The project's own models, and the form for another.
    pub own: OwnModels<'a>,
}

/// A place where a vendor can be.
struct Region {
    name: &'static str,
    chosen: bool,
}

struct VendorRow {
    name: String,
    title: String,
    models: String,
    longest: usize,
    regions: Vec<Region>,
    last_four: String,
    since: String,
    is_kept: bool,
    takes_key: bool,
    hint: Settings,
    wrong: String,
    unasked: bool,
}

struct Admin<'a> {
    vendors: Vec<VendorRow>,
    own: Section<'a>,
}

#[derive(Template)]
#[template(path = "settings.html")]
struct Page<'a> {
    frame: Frame<'a>,
    name: String,
    project: String,
    role: Name,
    key: &'a str,
    until: String,
    notice: Option<Settings>,
    admin: Option<Admin<'a>>,
}

fn vendor_row(vendor: &Vendor<'_>, told: Option<Told<'_>>) -> VendorRow {
    let kept = vendor.kept.and_then(|kept| kept.region.as_deref());
    let (wrong, unasked, region) = match told {
        Some(Told::Refused {
            vendor: of,
            region,
            why,
            unasked,
        }) if of == vendor.name => (visible(why).into_owned(), unasked, Some(region)),
        _ => (String::new(), false, kept),
    };
    VendorRow {
        name: visible(vendor.name).into_owned(),
        title: visible(vendor.title).into_owned(),
        models: counted(vendor.models as u64, "model", "models"),
        longest: vendor.longest,
        regions: vendor
            .regions
            .iter()
            .map(|&name| Region {
                name,
                chosen: region == Some(name),
            })
            .collect(),
        last_four: vendor
            .kept
            .map_or_else(String::new, |kept| visible(&kept.last_four).into_owned()),
        since: vendor
            .kept
            .map_or_else(String::new, |kept| minute(&kept.updated_at.to_string())),
        is_kept: vendor.kept.is_some(),
        takes_key: vendor.by_role.is_none(),
        hint: match vendor.by_role {
            None => Settings::NotKept,
            Some(true) => Settings::ByRole,
            Some(false) => Settings::RoleIsOff,
        },
        wrong,
        unasked,
    }
}

/// The page.
///
/// # Errors
/// See [`RenderError`].
pub fn page<'a>(
    frame: Frame<'a>,
    you: You<'a>,
    of_admins: Option<OfAdmins<'a>>,
    told: Option<Told<'_>>,
) -> Result<String, RenderError> {
    let page = Page {
        frame,
        name: visible(you.name).into_owned(),
        project: visible(you.project).into_owned(),
        role: role_name(you.role),
        key: you.key,
        until: minute(you.until),
        notice: match told {
            Some(Told::Saved) => Some(Settings::KeySaved),
            Some(Told::Removed) => Some(Settings::KeyRemoved),
            Some(Told::ModelMade) => Some(Settings::ModelMade),
            Some(Told::ModelKeySaved) => Some(Settings::ModelKeySaved),
            Some(Told::ModelRemoved) => Some(Settings::ModelRemoved),
            Some(Told::Refused { .. }) | None => None,
        },
        admin: of_admins.map(|of| Admin {
            vendors: of
                .vendors
                .iter()
                .map(|vendor| vendor_row(vendor, told))
                .collect(),
            own: Section::of(of.own),
        }),
    };
    page.render()
}
