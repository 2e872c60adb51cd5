//! A JSON Schema read as the shapes that a value may have, with references followed. It is read as
//! schemars writes it; what it does not know is kept as [`Shape::Unknown`], so that nobody takes
//! it for judged.

use serde_json::{Map, Value};

/// How deep references and alternatives are followed.
const MOST_DEPTH: usize = 32;

/// Says nothing about which values are valid.
const ANNOTATIONS: [&str; 11] = [
    "$schema",
    "$id",
    "$defs",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
];

const KNOWN: [&str; 19] = [
    "type",
    "format",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "contentEncoding",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
    "uniqueItems",
    "properties",
    "required",
    "additionalProperties",
];

/// One shape that a value may have. A schema is some of them; with none, no value is valid.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    Any,
    Null,
    Flag,
    Const(Value),
    Number(Number),
    Text(Text),
    List(List),
    Object(Object),
    /// What cannot be judged: why, and the schema.
    Unknown(String, Value),
}

/// A bound, and whether it is outside itself.
pub(super) type Bound = Option<(f64, bool)>;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Number {
    pub(super) whole: bool,
    pub(super) format: Option<String>,
    pub(super) from: Bound,
    pub(super) to: Bound,
    pub(super) multiple: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Text {
    pub(super) format: Option<String>,
    pub(super) pattern: Option<String>,
    pub(super) encoding: Option<String>,
    pub(super) from: Bound,
    pub(super) to: Bound,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct List {
    /// The schemas of the first items.
    pub(super) first: Vec<Value>,
    /// The schema of all others.
    pub(super) items: Value,
    pub(super) from: Bound,
    pub(super) to: Bound,
    pub(super) unique: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Object {
    pub(super) fields: Map<String, Value>,
    pub(super) required: Vec<String>,
    /// What is said of other fields: `false` that there are none.
    pub(super) others: Option<Value>,
}

impl Object {
    pub(super) fn is_closed(&self) -> bool {
        self.others == Some(Value::Bool(false))
    }
}

/// The shapes of a schema that stands somewhere in a document.
pub(super) fn shapes(root: &Value, schema: &Value) -> Vec<Shape> {
    expanded(root, schema, 0).unwrap_or_else(|why| vec![Shape::Unknown(why, schema.clone())])
}

fn expanded(root: &Value, schema: &Value, depth: usize) -> Result<Vec<Shape>, String> {
    if depth > MOST_DEPTH {
        return Err("its references are nested too deep, or lead in a circle".into());
    }
    let Some(mut map) = resolved(root, schema, depth)? else {
        return Ok(match schema {
            Value::Bool(false) => vec![],
            _ => vec![Shape::Any],
        });
    };
    let alternatives = match (map.remove("anyOf"), map.remove("oneOf")) {
        (Some(_), Some(_)) => return Err("`anyOf` and `oneOf` stand side by side".into()),
        (any, one) => any.or(one),
    };
    if let Some(Value::Array(alternatives)) = alternatives {
        let mut all = vec![];
        for one in &alternatives {
            match resolved(root, one, depth + 1)? {
                None if *one == Value::Bool(false) => {}
                None => all.extend(plain(map.clone())?),
                Some(one) => {
                    let whole = merged(map.clone(), one)?;
                    all.extend(expanded(root, &Value::Object(whole), depth + 1)?);
                }
            }
        }
        return Ok(all);
    }
    plain(map)
}

/// The object of a schema without references and annotations; none for `true` and `false`.
fn resolved(
    root: &Value,
    schema: &Value,
    depth: usize,
) -> Result<Option<Map<String, Value>>, String> {
    if depth > MOST_DEPTH {
        return Err("its references are nested too deep, or lead in a circle".into());
    }
    let Value::Object(map) = schema else {
        return match schema {
            Value::Bool(_) => Ok(None),
            _ => Err("it is no schema".into()),
        };
    };
    let counts = |name: &str| !ANNOTATIONS.contains(&name) && !name.starts_with("x-");
    let kept = map.iter().filter(|(name, _)| counts(name));
    let mut own: Map<String, Value> = kept.map(|(n, v)| (n.clone(), v.clone())).collect();
    if let Some(to) = own.remove("$ref") {
        let target = to.as_str().and_then(|to| to.strip_prefix('#'));
        let target = target.and_then(|pointer| root.pointer(pointer));
        let target = target.ok_or_else(|| format!("the reference {to} leads nowhere"))?;
        if let Some(target) = resolved(root, target, depth + 1)? {
            own = merged(own, target)?;
        }
    }
    if let Some(Value::Array(all)) = own.remove("allOf") {
        for one in &all {
            if let Some(one) = resolved(root, one, depth + 1)? {
                own = merged(own, one)?;
            }
        }
    }
    Ok(Some(own))
}

/// Two schemas that hold both.
fn merged(mut a: Map<String, Value>, b: Map<String, Value>) -> Result<Map<String, Value>, String> {
    for (name, value) in b {
        match (name.as_str(), a.get_mut(&name)) {
            (_, None) => {
                a.insert(name, value);
            }
            (_, Some(same)) if *same == value => {}
            ("properties", Some(Value::Object(fields))) => {
                let Value::Object(more) = value else {
                    return Err("`properties` is no object".into());
                };
                for (field, schema) in more {
                    if fields.get(&field).is_some_and(|same| *same != schema) {
                        return Err(format!("two schemas for `{field}` hold at once"));
                    }
                    fields.insert(field, schema);
                }
            }
            ("required", Some(Value::Array(names))) => {
                names.extend(value.as_array().cloned().unwrap_or_default());
            }
            _ => return Err(format!("`{name}` is said twice, and not alike")),
        }
    }
    Ok(a)
}

/// The shapes of a schema without references and alternatives.
fn plain(mut map: Map<String, Value>) -> Result<Vec<Shape>, String> {
    if let Some(value) = map.remove("const") {
        map.remove("type");
        return match map.is_empty() {
            true => Ok(vec![Shape::Const(value)]),
            false => Err("`const` stands beside other rules".into()),
        };
    }
    if let Some(Value::Array(values)) = map.remove("enum") {
        map.remove("type");
        return match map.is_empty() {
            true => Ok(values.into_iter().map(Shape::Const).collect()),
            false => Err("`enum` stands beside other rules".into()),
        };
    }
    if let Some(odd) = map.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(format!("`{odd}` cannot be judged"));
    }
    match map.remove("type") {
        Some(Value::String(ty)) => Ok(vec![shape(&ty, &map)?]),
        Some(Value::Array(types)) => types
            .iter()
            .map(|ty| shape(ty.as_str().unwrap_or_default(), &map))
            .collect(),
        Some(other) => Err(format!("the type is {other}")),
        None if map.is_empty() => Ok(vec![Shape::Any]),
        None if map.contains_key("properties") => Ok(vec![shape("object", &map)?]),
        None => Err("it has rules and no type".into()),
    }
}

fn shape(ty: &str, map: &Map<String, Value>) -> Result<Shape, String> {
    let text = |name: &str| map.get(name).and_then(Value::as_str).map(str::to_owned);
    let number = |name: &str| map.get(name).and_then(Value::as_f64);
    let bound = |name: &str| number(name).map(|n| (n, false));
    let beyond = |name: &str| number(name).map(|n| (n, true));
    Ok(match ty {
        "null" => Shape::Null,
        "boolean" => Shape::Flag,
        "integer" | "number" => Shape::Number(Number {
            whole: ty == "integer",
            format: text("format"),
            from: beyond("exclusiveMinimum").or(bound("minimum")),
            to: beyond("exclusiveMaximum").or(bound("maximum")),
            multiple: number("multipleOf"),
        }),
        "string" => Shape::Text(Text {
            format: text("format"),
            pattern: text("pattern"),
            encoding: text("contentEncoding"),
            from: bound("minLength"),
            to: bound("maxLength"),
        }),
        "array" => Shape::List(List {
            first: array(map, "prefixItems").to_vec(),
            items: map.get("items").cloned().unwrap_or(Value::Bool(true)),
            from: bound("minItems"),
            to: bound("maxItems"),
            unique: map.get("uniqueItems") == Some(&Value::Bool(true)),
        }),
        "object" => Shape::Object(Object {
            fields: match map.get("properties") {
                Some(Value::Object(fields)) => fields.clone(),
                _ => Map::new(),
            },
            required: array(map, "required")
                .iter()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect(),
            others: map.get("additionalProperties").cloned(),
        }),
        other => return Err(format!("there is no type `{other}`")),
    })
}

fn array<'a>(map: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    map.get(name)
        .and_then(Value::as_array)
        .map_or(&[], |all| all)
}

/// Shapes in a few words.
pub(super) fn words(root: &Value, shapes: &[Shape]) -> String {
    let all: Vec<String> = shapes.iter().map(|one| word(root, one)).collect();
    match all.is_empty() {
        true => "nothing".into(),
        false => all.join(" | "),
    }
}

fn word(root: &Value, shape: &Shape) -> String {
    let with = |name: &str, format: &Option<String>| match format {
        Some(format) => format!("{name} ({format})"),
        None => name.to_string(),
    };
    match shape {
        Shape::Any => "anything".into(),
        Shape::Null => "null".into(),
        Shape::Flag => "boolean".into(),
        Shape::Const(value) => value.to_string(),
        Shape::Number(n) if n.whole => with("integer", &n.format),
        Shape::Number(n) => with("number", &n.format),
        Shape::Text(text) => with("string", &text.format),
        Shape::List(list) if !list.first.is_empty() => format!("tuple of {}", list.first.len()),
        Shape::List(list) => match &*shapes(root, &list.items) {
            [Shape::List(_)] => "array of arrays".into(),
            [one] => format!("array of {}", word(root, one)),
            _ => "array".into(),
        },
        Shape::Object(_) => "object".into(),
        Shape::Unknown(..) => "what cannot be judged".into(),
    }
}
