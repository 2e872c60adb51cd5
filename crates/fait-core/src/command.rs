//! A command is what is asked; on a page it is a task.

use crate::event::schema_of;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::convert::Infallible;
use std::fmt::{self, Debug};

/// What is asked of the system, as data. Derived by `#[command]`; it is also the form.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a command",
    label = "put `#[command]` on this struct"
)]
pub trait Command:
    Serialize + DeserializeOwned + JsonSchema + Clone + Debug + PartialEq + Send + Sync + 'static
{
    /// The name in the interface and in records.
    const NAME: &'static str;
    /// The instruction, from the first line of the documentation: `Place an order`.
    const TITLE: &'static str;
    /// The rest of the documentation.
    const DOC: &'static str = "";
    /// The fields, in the order of the form.
    const FIELDS: &'static [Field];
    /// The page that the title, the button and the rights come from.
    const PAGE: Page = Page::EMPTY;
}

/// How a task appears to people.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Page {
    /// The roles that may do it. None: only processes and policies do.
    pub by: &'static [&'static str],
    /// The view that shows what it is about; its row is found by the field of the view's key.
    pub sees: Option<&'static str>,
    /// The title with words of that row, for example `Cook the food for table {table}`.
    pub about: Option<&'static str>,
    /// The primary button, worded as the outcome: `The food is ready`.
    pub button: Option<&'static str>,
    /// The command that takes it back.
    pub undone_by: Option<&'static str>,
    /// The outside system that does it, when it is told rather than decided here.
    pub to: Option<&'static str>,
    /// Whether it starts something new, and so is always offered.
    pub starts: bool,
}

impl Page {
    /// Nobody's page.
    pub const EMPTY: Page = Page {
        by: &[],
        sees: None,
        about: None,
        button: None,
        undone_by: None,
        to: None,
        starts: false,
    };
}

/// One field of a command.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// The name in JSON.
    pub name: &'static str,
    /// The question, from the first line of the documentation; else the name in plain words.
    pub label: &'static str,
    /// The rest of the documentation: a hint.
    pub help: &'static str,
    /// Whether the form makes a new id for it rather than asking.
    pub fresh: bool,
}

/// Some commands: a single one, or a visible enum with `#[derive(CommandSet)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of commands",
    label = "put `#[command]` on a struct, or `#[derive(CommandSet)]` on an enum of commands"
)]
pub trait CommandSet: Clone + fmt::Debug + PartialEq + Send + Sync + 'static {
    /// The names in the set.
    const NAMES: &'static [&'static str];
    /// Name and JSON of this command.
    ///
    /// # Errors
    /// The command's own `Serialize` refuses.
    fn encode(&self) -> Result<(&'static str, Value), InputError>;
    /// Reads a command by name; `None` when it is not in the set.
    ///
    /// # Errors
    /// The JSON does not fit.
    fn decode(name: &str, body: &Value) -> Result<Option<Self>, InputError>;
}

impl<C: Command> CommandSet for C {
    const NAMES: &'static [&'static str] = &[C::NAME];
    fn encode(&self) -> Result<(&'static str, Value), InputError> {
        let body = serde_json::to_value(self).map_err(|e| InputError {
            field: None,
            message: e.to_string(),
        })?;
        Ok((C::NAME, body))
    }
    fn decode(name: &str, body: &Value) -> Result<Option<Self>, InputError> {
        if name == C::NAME {
            read_body(body).map(Some)
        } else {
            Ok(None)
        }
    }
}

impl CommandSet for Infallible {
    const NAMES: &'static [&'static str] = &[];
    fn encode(&self) -> Result<(&'static str, Value), InputError> {
        match *self {}
    }
    fn decode(_: &str, _: &Value) -> Result<Option<Self>, InputError> {
        Ok(None)
    }
}

/// What was sent does not fit the command.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}{message}", .field.as_ref().map(|f| format!("field `{f}`: ")).unwrap_or_default())]
pub struct InputError {
    /// The field, where one is to blame.
    pub field: Option<String>,
    /// What is wrong, as a sentence.
    pub message: String,
}

/// Reads a command from JSON, naming the field that does not fit.
///
/// # Errors
/// The body is not an object, a field is missing or unknown, or of a wrong type.
pub fn read_body<C: Command>(body: &Value) -> Result<C, InputError> {
    let Some(fields) = body.as_object() else {
        let message = format!("the body of `{}` must be a JSON object", C::NAME);
        return Err(InputError {
            field: None,
            message,
        });
    };
    let known = |name: &str| C::FIELDS.iter().any(|f| f.name == name);
    if let Some(unknown) = fields.keys().find(|k| !known(k)) {
        let names: Vec<&str> = C::FIELDS.iter().map(|f| f.name).collect();
        let message = format!(
            "`{}` has no such field; it has {}",
            C::NAME,
            names.join(", ")
        );
        return Err(InputError {
            field: Some(unknown.clone()),
            message,
        });
    }
    C::deserialize(body).map_err(|e| blame::<C>(fields, &e))
}

/// Finds the field that a failed read is about: serde's own message names missing fields only.
fn blame<C: Command>(fields: &serde_json::Map<String, Value>, e: &serde_json::Error) -> InputError {
    let text = e.to_string();
    if let Some(name) = text
        .strip_prefix("missing field `")
        .and_then(|r| r.strip_suffix('`'))
    {
        return InputError {
            field: Some(name.into()),
            message: "is missing".into(),
        };
    }
    // Blank one field after the other: the message changes where the blamed one is blanked.
    let field = fields.keys().find(|name| {
        let mut rest = fields.clone();
        rest.remove(*name);
        C::deserialize(&Value::Object(rest))
            .err()
            .is_none_or(|other| other.to_string() != text)
    });
    InputError {
        field: field.cloned(),
        message: text,
    }
}

/// A field as data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldDef {
    /// The name in JSON.
    pub name: String,
    /// The question.
    pub label: String,
    /// A hint.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// Whether the form makes a new id for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fresh: bool,
    /// Whether it may be left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// JSON Schema of the value.
    pub schema: Value,
}

impl FieldDef {
    /// The kind of entity that the field names, when it is an id.
    pub fn kind(&self) -> Option<&str> {
        self.schema.get("x-kind").and_then(Value::as_str)
    }
}

/// The page as data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PageDef {
    /// The roles that may do it.
    pub by: Vec<String>,
    /// The view that shows what it is about.
    pub sees: Option<String>,
    /// The title with words of that view's row.
    pub about: Option<String>,
    /// The primary button.
    pub button: Option<String>,
    /// The command that takes it back.
    pub undone_by: Option<String>,
    /// The outside system that does it.
    pub to: Option<String>,
    /// Whether it starts something new.
    pub starts: bool,
}

impl From<Page> for PageDef {
    fn from(p: Page) -> Self {
        let own = |s: Option<&str>| s.map(String::from);
        PageDef {
            by: p.by.iter().map(|s| s.to_string()).collect(),
            sees: own(p.sees),
            about: own(p.about),
            button: own(p.button),
            undone_by: own(p.undone_by),
            to: own(p.to),
            starts: p.starts,
        }
    }
}

/// The fields of a command with their schemas, in the order of the form.
pub fn fields_of<C: Command>() -> Vec<FieldDef> {
    let schema = schema_of::<C>();
    let defs = schema.get("$defs").cloned();
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let field = |f: &Field| {
        let mut value = schema["properties"][f.name].clone();
        if let (Some(defs), Some(object)) = (&defs, value.as_object_mut())
            && serde_json::to_string(object).is_ok_and(|s| s.contains("#/$defs/"))
        {
            object.insert("$defs".into(), defs.clone());
        }
        FieldDef {
            name: f.name.into(),
            label: f.label.into(),
            help: f.help.into(),
            fresh: f.fresh,
            optional: !required.iter().any(|r| r == f.name),
            schema: value,
        }
    };
    C::FIELDS.iter().map(field).collect()
}
