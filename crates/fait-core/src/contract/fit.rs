//! Whether everything that one schema describes can be read by who expects another.

use super::accept::{Verdict, takes};
use super::schema::{Bound, List, Number, Object, Shape, Text, shapes, words};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is wrong between what is sent and what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Wrong {
    /// A field is not sent at all.
    Missing,
    /// A field is not always sent, and has to be.
    Optional,
    /// It is of another type.
    Type,
    /// It may have values that are not read.
    Values,
    /// It may be smaller, larger, shorter or longer than what is read.
    Range,
    /// It is written in another form: a format, a pattern.
    Format,
    /// There are fields where no further field is read.
    Closed,
    /// There is one more kind of object than is read.
    Variant,
    /// Nobody can judge it.
    Unjudged,
}

/// One place at which what is sent cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Misfit {
    /// A JSON pointer into the data; `*` is each item of a list and each key of a map.
    pub pointer: String,
    /// What is wrong.
    pub wrong: Wrong,
    /// What is read.
    pub reads: String,
    /// What is sent.
    pub sends: String,
}

/// What comes of a comparison.
#[derive(Debug, Default)]
pub(super) struct Fit {
    /// Places at which it does not fit.
    pub(super) misfits: Vec<Misfit>,
    /// Fields that are sent beyond what is read, in places that do fit.
    pub(super) more: Vec<String>,
}

/// Two documents, one side of which is sent and the other read.
struct Pair<'a> {
    sent: &'a Value,
    read: &'a Value,
    /// Whether a field that is read must be sent even where it may be missing.
    whole: bool,
    /// What is being compared; seen again inside itself, it is as good as the rest.
    open: Vec<(Value, Value)>,
}

/// Compares what is sent with what is read. With `whole`, every field that is read has to be
/// there.
pub(super) fn fit(sent: &Value, read: &Value, whole: bool) -> Fit {
    let mut pair = Pair {
        sent,
        read,
        whole,
        open: vec![],
    };
    let mut fit = Fit::default();
    pair.schemas("", sent, read, &mut fit);
    fit
}

impl Pair<'_> {
    fn schemas(&mut self, at: &str, sent: &Value, read: &Value, fit: &mut Fit) {
        let both = (sent.clone(), read.clone());
        if self.open.contains(&both) {
            return;
        }
        self.open.push(both);
        let (sent, read) = (shapes(self.sent, sent), shapes(self.read, read));
        let mut new = vec![];
        for shape in &sent {
            self.shape(at, shape, &read, &mut new, fit);
        }
        if !new.is_empty() {
            fit.misfits.push(Misfit {
                pointer: at.into(),
                wrong: Wrong::Values,
                reads: words(self.read, &read),
                sends: words(self.sent, &new),
            });
        }
        self.open.pop();
    }

    /// One shape that is sent against all that are read. Single values that nobody reads are put
    /// together.
    fn shape(
        &mut self,
        at: &str,
        sent: &Shape,
        read: &[Shape],
        new: &mut Vec<Shape>,
        fit: &mut Fit,
    ) {
        if let Shape::Const(value) = sent {
            let verdicts = read.iter().map(|shape| takes(self.read, shape, value));
            match verdicts.max().unwrap_or(Verdict::No) {
                Verdict::Yes => {}
                Verdict::Unsure | Verdict::No => new.push(sent.clone()),
            }
            return;
        }
        let mut best: Option<Fit> = None;
        for shape in read {
            let Some(one) = self.two(at, sent, shape) else {
                continue;
            };
            if best
                .as_ref()
                .is_none_or(|b| one.misfits.len() < b.misfits.len())
            {
                best = Some(one);
            }
        }
        match best {
            Some(best) => {
                fit.misfits.extend(best.misfits);
                fit.more.extend(best.more);
            }
            None => fit.misfits.push(self.apart(at, sent, read)),
        }
    }

    /// A shape that has nothing in common with any that is read.
    fn apart(&self, at: &str, sent: &Shape, read: &[Shape]) -> Misfit {
        let unknown = |shape: &&Shape| matches!(shape, Shape::Unknown(..));
        let objects = read
            .iter()
            .filter(|s| matches!(s, Shape::Object(_)))
            .count();
        let mut sends = words(self.sent, std::slice::from_ref(sent));
        let wrong = match (sent, read.iter().find(unknown)) {
            (Shape::Unknown(why, _), _) | (_, Some(Shape::Unknown(why, _))) => {
                sends = why.clone();
                Wrong::Unjudged
            }
            (Shape::Object(object), _) if objects > 0 => {
                sends = format!("an object with {}", named(object));
                Wrong::Variant
            }
            _ => Wrong::Type,
        };
        Misfit {
            pointer: at.into(),
            wrong,
            reads: words(self.read, read),
            sends,
        }
    }

    /// Two shapes; none when they have nothing in common.
    fn two(&mut self, at: &str, sent: &Shape, read: &Shape) -> Option<Fit> {
        let mut fit = Fit::default();
        let mut wrong = |wrong: Wrong, reads: String, sends: String| {
            fit.misfits.push(Misfit {
                pointer: at.into(),
                wrong,
                reads,
                sends,
            });
        };
        match (sent, read) {
            (_, Shape::Any) | (Shape::Null, Shape::Null) | (Shape::Flag, Shape::Flag) => {}
            // The same words, and no references in them that could lead elsewhere.
            (Shape::Unknown(_, a), Shape::Unknown(_, b))
                if a == b && !a.to_string().contains("$ref") => {}
            (Shape::Number(sent), Shape::Number(read)) if sent.whole || !read.whole => {
                numbers(sent, read, &mut wrong);
            }
            (Shape::Text(sent), Shape::Text(read)) => texts(sent, read, &mut wrong),
            (Shape::List(sent), Shape::List(read)) => {
                range((sent.from, sent.to), (read.from, read.to), &mut wrong);
                if read.unique && !sent.unique {
                    wrong(Wrong::Range, "no item twice".into(), "any items".into());
                }
                self.lists(at, sent, read, &mut fit);
            }
            (Shape::Object(sent), Shape::Object(read)) => {
                if self.others(sent, read) {
                    return None;
                }
                self.objects(at, sent, read, &mut fit);
            }
            _ => return None,
        }
        Some(fit)
    }

    fn lists(&mut self, at: &str, sent: &List, read: &List, fit: &mut Fit) {
        if sent.first.len() != read.first.len() {
            let count = |list: &List| format!("{} items of their own", list.first.len());
            fit.misfits.push(Misfit {
                pointer: at.into(),
                wrong: Wrong::Unjudged,
                reads: count(read),
                sends: count(sent),
            });
            return;
        }
        for (n, (sent, read)) in sent.first.iter().zip(&read.first).enumerate() {
            self.schemas(&format!("{at}/{n}"), sent, read, fit);
        }
        self.schemas(&format!("{at}/*"), &sent.items, &read.items, fit);
    }

    /// Whether two objects are different kinds of the same enum: a field that both have says so
    /// by its only value, or the one has a field that the other cannot have.
    fn others(&self, sent: &Object, read: &Object) -> bool {
        let only = |root: &Value, schema: &Value| match &*shapes(root, schema) {
            [Shape::Const(value)] => Some(value.clone()),
            _ => None,
        };
        let apart = |(name, schema): (&String, &Value)| {
            let other = read.fields.get(name).and_then(|read| only(self.read, read));
            let own = only(self.sent, schema);
            own.is_some() && other.is_some() && own != other
        };
        let unheard = |name: &String| !read.fields.contains_key(name);
        let single = |object: &Object| object.is_closed() && object.fields.len() == 1;
        sent.fields.iter().any(apart)
            || single(sent) && single(read) && sent.required.iter().any(unheard)
    }

    fn objects(&mut self, at: &str, sent: &Object, read: &Object, fit: &mut Fit) {
        for (name, schema) in &read.fields {
            let at = below(at, name);
            let needed = read.required.contains(name);
            let reads = words(self.read, &shapes(self.read, schema));
            let mut wrong = |wrong: Wrong, reads: String, sends: String| {
                fit.misfits.push(Misfit {
                    pointer: at.clone(),
                    wrong,
                    reads,
                    sends,
                });
            };
            match sent.fields.get(name) {
                Some(own) => {
                    if needed && !sent.required.contains(name) {
                        let own = words(self.sent, &shapes(self.sent, own));
                        let always = format!("{reads}, always there");
                        wrong(Wrong::Optional, always, format!("{own}, or missing"));
                    }
                    self.schemas(&at, own, schema, fit);
                }
                None if needed || self.whole => {
                    let instead = self.instead(sent, read, schema);
                    wrong(Wrong::Missing, reads, instead);
                }
                // A map may have any key, this one as well.
                None => {
                    if let Some(own) = sent.others.as_ref().filter(|_| !sent.is_closed()) {
                        self.schemas(&at, own, schema, fit);
                    }
                }
            }
        }
        for name in sent.fields.keys().filter(|n| !read.fields.contains_key(*n)) {
            let (at, own) = (below(at, name), &sent.fields[name]);
            match &read.others {
                Some(Value::Bool(false)) => fit.misfits.push(Misfit {
                    pointer: at,
                    wrong: Wrong::Closed,
                    reads: "no further field".into(),
                    sends: words(self.sent, &shapes(self.sent, own)),
                }),
                Some(others) => self.schemas(&at, own, others, fit),
                None => fit.more.push(at),
            }
        }
        // What nothing is said of is not sent: a program writes the fields that it has.
        let Some(own) = sent.others.as_ref().filter(|_| !sent.is_closed()) else {
            return;
        };
        let all = Value::Bool(true);
        let others = read.others.as_ref().unwrap_or(&all);
        self.schemas(&format!("{at}/*"), own, others, fit);
    }

    /// A field that is sent, was not read before and looks like one that is missing.
    fn instead(&self, sent: &Object, read: &Object, schema: &Value) -> String {
        let wanted = shapes(self.read, schema);
        let like = sent.fields.iter().find(|(name, own)| {
            !read.fields.contains_key(*name) && shapes(self.sent, own) == wanted
        });
        match like {
            Some((name, _)) => format!("nothing; `{name}` looks like it"),
            None => "nothing".into(),
        }
    }
}

/// The pointer to a field.
fn below(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn named(object: &Object) -> String {
    let fields = object
        .fields
        .iter()
        .map(|(name, schema)| match schema.get("const") {
            Some(value) => format!("`{name}` {value}"),
            None => format!("`{name}`"),
        });
    fields.collect::<Vec<_>>().join(", ")
}

fn numbers(sent: &Number, read: &Number, wrong: &mut impl FnMut(Wrong, String, String)) {
    let of = |n: &Number| {
        let implied = implied(n.format.as_deref());
        (n.from.or(implied.0), n.to.or(implied.1))
    };
    range(of(sent), of(read), wrong);
    let form = |n: &Number| n.format.clone().unwrap_or_else(|| "any number".into());
    // Formats of whole numbers are ranges, and judged as such.
    let is_range = |n: &Number| implied(n.format.as_deref()) != (None, None);
    let wider = sent.format.as_deref() == Some("float") && read.format.as_deref() == Some("double");
    let odd = read.format.is_some() && read.format != sent.format && !is_range(read);
    if odd && !wider && !sent.whole {
        wrong(Wrong::Format, form(read), form(sent));
    }
    if read.multiple.is_some() && read.multiple != sent.multiple {
        let of = |n: &Number| {
            n.multiple
                .map_or("any".into(), |m| format!("multiples of {m}"))
        };
        wrong(Wrong::Range, of(read), of(sent));
    }
}

/// The range of a format of whole numbers.
fn implied(format: Option<&str>) -> (Bound, Bound) {
    let bits = |text: &str| text.parse::<i32>().ok().map(|bits| 2f64.powi(bits));
    let range = match format {
        Some(f) if f.starts_with("uint") => bits(&f[4..]).map(|n| (0.0, n - 1.0)),
        Some(f) if f.starts_with("int") => bits(&f[3..]).map(|n| (-n / 2.0, n / 2.0 - 1.0)),
        _ => None,
    };
    match range {
        Some((from, to)) => (Some((from, false)), Some((to, false))),
        None => (None, None),
    }
}

fn texts(sent: &Text, read: &Text, wrong: &mut impl FnMut(Wrong, String, String)) {
    range((sent.from, sent.to), (read.from, read.to), wrong);
    let rules = [
        (&sent.format, &read.format),
        (&sent.pattern, &read.pattern),
        (&sent.encoding, &read.encoding),
    ];
    for (sent, read) in rules {
        if read.is_some() && read != sent {
            let form = |form: &Option<String>| form.clone().unwrap_or_else(|| "any text".into());
            wrong(Wrong::Format, form(read), form(sent));
        }
    }
}

/// Whether all of one range lies within another.
fn range(
    sent: (Bound, Bound),
    read: (Bound, Bound),
    wrong: &mut impl FnMut(Wrong, String, String),
) {
    let outside = |sent: Bound, read: Bound, sign: f64| match (sent, read) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some((s, s_out)), Some((r, r_out))) => s * sign < r * sign || s == r && r_out && !s_out,
    };
    if outside(sent.0, read.0, 1.0) || outside(sent.1, read.1, -1.0) {
        wrong(Wrong::Range, spoken(read), spoken(sent));
    }
}

fn spoken((from, to): (Bound, Bound)) -> String {
    let side = |bound: Bound, inside: &str, outside: &str| {
        bound.map(|(n, out)| format!("{} {n}", if out { outside } else { inside }))
    };
    let sides = [side(from, ">=", ">"), side(to, "<=", "<")];
    let sides: Vec<String> = sides.into_iter().flatten().collect();
    match sides.is_empty() {
        true => "without bounds".into(),
        false => sides.join(", "),
    }
}
