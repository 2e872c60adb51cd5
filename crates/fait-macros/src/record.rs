//! A struct with named fields or none: what `#[event]` and `#[command]` stand on.

use crate::problems::Problems;
use crate::words::listed;
use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;
use syn::{Attribute, Fields, Item, ItemStruct, Meta};

/// Reads the struct; anything else comes back unchanged beside the error.
pub(crate) fn read(
    macro_name: &str,
    what: &str,
    instead_of_enum: &str,
    item: TokenStream,
    problems: &mut Problems,
) -> Result<ItemStruct, TokenStream> {
    let wrong = match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Struct(record)) => match fault(&record) {
            None => return Ok(record),
            Some((span, fault)) => (span, format!("{what} {fault}")),
        },
        Ok(Item::Enum(item)) => {
            let hint = format!("`{macro_name}` goes on a struct; {instead_of_enum}");
            (item.enum_token.span, hint)
        }
        Ok(other) => (other.span(), format!("`{macro_name}` goes on a struct")),
        Err(e) => {
            problems.note(e);
            return Err(item);
        }
    };
    problems.at_span(wrong.0, wrong.1);
    Err(item)
}

fn fault(record: &ItemStruct) -> Option<(proc_macro2::Span, &'static str)> {
    if !record.generics.params.is_empty() {
        let why = "has no type parameters or lifetimes: it is stored and read again by its name";
        return Some((record.generics.span(), why));
    }
    match &record.fields {
        Fields::Unnamed(fields) => Some((
            fields.span(),
            "has named fields: `{ order: OrderId }`; their names are the JSON",
        )),
        Fields::Named(_) | Fields::Unit => None,
    }
}

/// A helper attribute on a field: its name, and words that people write instead.
pub(crate) struct Helper {
    /// The attribute.
    pub(crate) name: &'static str,
    /// Near misses in small letters, each with a sentence that says what to write.
    pub(crate) instead: &'static [(&'static str, &'static str)],
}

impl Helper {
    /// Takes this helper's attributes from a field, so that the compiler does not see them.
    pub(crate) fn take(&self, attrs: &mut Vec<Attribute>, problems: &mut Problems) -> Vec<Meta> {
        let mut own = vec![];
        attrs.retain(|attr| {
            if attr.path().is_ident(self.name) {
                own.push(attr.meta.clone());
                return false;
            }
            let Some(name) = attr.path().get_ident().map(|i| i.to_string()) else {
                return true;
            };
            let small = name.to_lowercase();
            let Some((_, advice)) = self.instead.iter().find(|(near, _)| *near == small) else {
                return true;
            };
            problems.at(attr, advice);
            false
        });
        own
    }
}

/// The `#[cfg]`s of a field, for code that names it.
pub(crate) fn conditions(attrs: &[Attribute]) -> TokenStream {
    let conditions = attrs.iter().filter(|a| a.path().is_ident("cfg"));
    quote!(#(#conditions)*)
}

/// The words inside a helper attribute; those that are not known are noted.
pub(crate) fn helper_words(meta: &Meta, known: &[&str], problems: &mut Problems) -> Vec<String> {
    let mut out = vec![];
    let owner = meta
        .path()
        .get_ident()
        .map(|i| i.to_string())
        .unwrap_or_default();
    let takes = listed(known);
    let Meta::List(list) = meta else {
        problems.at(meta, format!("write `#[{owner}(…)]`; it takes {takes}"));
        return out;
    };
    let words = list.parse_nested_meta(|word| {
        let name = word
            .path
            .get_ident()
            .map(|i| i.to_string())
            .unwrap_or_default();
        if known.contains(&name.as_str()) {
            out.push(name);
            return Ok(());
        }
        Err(word.error(format!("`#[{owner}]` takes {takes}")))
    });
    if let Err(e) = words {
        problems.note(e);
    }
    out
}

/// Notes another word of `fait` on the same struct, and takes it off: an event of the domain and a
/// message for others are never one type.
pub(crate) fn alone(attrs: &mut Vec<Attribute>, others: &[(&str, &str)], problems: &mut Problems) {
    attrs.retain(|attr| {
        let last = attr.path().segments.last().map(|s| s.ident.to_string());
        let other = others
            .iter()
            .find(|(name, _)| last.as_deref() == Some(name));
        let Some((_, message)) = other else {
            return true;
        };
        problems.at(attr, message);
        false
    });
}
