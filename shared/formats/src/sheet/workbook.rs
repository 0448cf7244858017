//! What a workbook consists of: its sheets, and where their parts are.

use std::collections::HashMap;

use super::parts::Parts;
use crate::problem::{Code, Problem};
use crate::xml::{Piece, Pieces};

/// Where a workbook is, unless its relations say something else.
const USUAL: &str = "xl/workbook.xml";

/// A sheet by its name.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) name: String,
    /// Its part; none for charts and what else is no sheet of cells.
    pub(super) part: Option<String>,
    is_visible: bool,
}

/// What a workbook consists of.
#[derive(Debug, Default)]
pub(super) struct Workbook {
    sheets: Vec<Named>,
    /// The part of texts that cells share.
    pub(super) strings: Option<String>,
    /// The part that tells dates from numbers.
    pub(super) styles: Option<String>,
    /// Whether days are counted from 1904 on, as old Macs did.
    pub(super) from_1904: bool,
}

/// What a part refers to: id, kind (the end of its type) and part.
type Relation = (String, String, String);

impl Workbook {
    pub(super) fn read(parts: &mut Parts<'_>) -> Result<Self, Problem> {
        let main = relations(parts, "")?
            .into_iter()
            .find(|(_, kind, _)| kind == "officeDocument");
        let main = main.map_or_else(|| USUAL.to_owned(), |(_, _, part)| part);
        let text = parts.text(&main)?.ok_or_else(|| {
            let message = "is a ZIP archive without a workbook: no Excel sheet";
            Problem::new(Code::Malformed, message)
        })?;
        let relations = relations(parts, &main)?;
        let of_kind = |wanted: &str| {
            let found = relations.iter().find(|(_, kind, _)| kind == wanted);
            found.map(|(_, _, part)| part.clone())
        };
        let mut made = Self {
            strings: of_kind("sharedStrings"),
            styles: of_kind("styles"),
            ..Self::default()
        };
        let sheets: HashMap<&str, &str> = relations
            .iter()
            .filter(|(_, kind, _)| kind == "worksheet")
            .map(|(id, _, part)| (id.as_str(), part.as_str()))
            .collect();
        let mut pieces = Pieces::new(&text, &main);
        loop {
            let element = match pieces.next()? {
                Piece::Begin(element) => element,
                Piece::Over => return Ok(made),
                Piece::End(_) | Piece::Text(_) => continue,
            };
            if element.is("workbookPr") {
                let of_mac = element.attribute("date1904");
                made.from_1904 = matches!(of_mac.as_deref(), Some("1" | "true"));
            }
            if element.is("sheet") {
                let id = element.attribute("id").unwrap_or_default();
                let state = element.attribute("state");
                made.sheets.push(Named {
                    name: element.attribute("name").unwrap_or_default(),
                    part: sheets.get(id.as_str()).map(|part| (*part).to_owned()),
                    is_visible: state.is_none_or(|state| state == "visible"),
                });
            }
        }
    }

    pub(super) fn first_visible(&self) -> Result<Named, Problem> {
        let seen = self
            .sheets
            .iter()
            .find(|one| one.is_visible && one.part.is_some());
        seen.cloned().ok_or_else(|| {
            let message = "has no sheet that can be seen";
            Problem::new(Code::Nothing, message).hint("show one, or save it as CSV UTF-8")
        })
    }

    /// Names of the other sheets that can be seen.
    pub(super) fn others(&self, chosen: &Named) -> Vec<String> {
        let visible = self.sheets.iter().filter(|one| one.is_visible);
        visible
            .filter(|one| one.name != chosen.name)
            .map(|one| format!("{:?}", one.name))
            .collect()
    }
}

/// What a part refers to; `""` is the archive itself.
fn relations(parts: &mut Parts<'_>, of: &str) -> Result<Vec<Relation>, Problem> {
    let (folder, own) = of.rsplit_once('/').unwrap_or(("", of));
    let name = joined(folder, &format!("_rels/{own}.rels"));
    let Some(text) = parts.text(&name)? else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    let mut pieces = Pieces::new(&text, &name);
    loop {
        let element = match pieces.next()? {
            Piece::Begin(element) => element,
            Piece::Over => return Ok(found),
            Piece::End(_) | Piece::Text(_) => continue,
        };
        let external = element.attribute("TargetMode").as_deref() == Some("External");
        if !element.is("Relationship") || external {
            continue;
        }
        let (Some(id), Some(kind), Some(target)) = (
            element.attribute("Id"),
            element.attribute("Type"),
            element.attribute("Target"),
        ) else {
            continue;
        };
        let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
        found.push((id, kind, joined(folder, &target)));
    }
}

/// A target relative to a folder, `..` followed; from the top if it begins with `/`.
fn joined(folder: &str, target: &str) -> String {
    let (folder, target) = match target.strip_prefix('/') {
        Some(target) => ("", target),
        None => (folder, target),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn targets_are_relative_to_their_part() {
        assert_eq!(
            joined("xl", "worksheets/sheet1.xml"),
            "xl/worksheets/sheet1.xml"
        );
        assert_eq!(joined("xl", "/xl/worksheets/a.xml"), "xl/worksheets/a.xml");
        assert_eq!(joined("xl/a", "../b/./c.xml"), "xl/b/c.xml");
        assert_eq!(joined("", "../../x"), "x");
    }
}
