//! `#[published]`: one type of message for other systems, with its name, version and subject.

use crate::args::{Args, option};
use crate::event::BOTH;
use crate::problems::Problems;
use crate::record::{self, Helper};
use crate::unit::derives_of;
use crate::words::documentation;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ItemStruct, LitStr, Meta, Path};

const OWNER: &str = "#[published]";
const KNOWN: &[&str] = &["name", "version", "deprecated", "crate"];
const DEPRECATED: &[&str] = &["since", "sunset", "instead"];
const MAX_NAME_BYTES: usize = 200;
const OTHERS: &[(&str, &str)] = &[("event", BOTH)];
const SUBJECT: Helper = Helper {
    name: "subject",
    instead: &[
        (
            "tag",
            "what is published has no tags; what it is about is its `#[subject]`",
        ),
        (
            "tags",
            "what is published has no tags; what it is about is its `#[subject]`",
        ),
        ("field", "`#[field]` belongs to the fields of a command"),
    ],
};

/// The struct with its derives, and its `impl Published`.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    let sets = "for several types derive `PublishedSet`";
    let mut item = match record::read(OWNER, "what is published", sets, item, &mut problems) {
        Ok(item) => item,
        Err(item) => {
            let errors = problems.into_tokens();
            return quote!(#item #errors);
        }
    };
    record::alone(&mut item.attrs, OTHERS, &mut problems);
    let mut args = Args::read(OWNER, KNOWN, args, &mut problems);
    let krate = args.krate(&mut problems);
    let identity = identity(&mut args, &krate, &item, &mut problems);
    let subject = subject(&mut item, &krate, &mut problems);
    let (derives, written) = derives_of(&krate, &item);
    let name = &item.ident;
    let errors = problems.into_tokens();
    quote! {
        #derives
        #item
        #written
        #[automatically_derived]
        impl #krate::bus::Published for #name {
            #identity
            #subject
        }
        #errors
    }
}

/// Name, version, documentation, and that it will cease.
fn identity(
    args: &mut Args,
    krate: &Path,
    item: &ItemStruct,
    problems: &mut Problems,
) -> TokenStream {
    let name = args.text("name", problems);
    match &name {
        Some(name) => check_name(name, problems),
        None => {
            let message = "others know it by its name: \
                 `#[published(name = \"com.example.tickets.tickets-issued\")]`";
            problems.at(&item.ident, message);
        }
    }
    let name = name.map_or_else(String::new, |name| name.value());
    let version = args.number("version", problems).map_or(1, |(n, _)| n);
    let deprecated = deprecated(args, krate, problems);
    let doc = documentation(&item.attrs);
    quote! {
        const NAME: &'static str = #name;
        const VERSION: u32 = #version;
        const DOC: &'static str = #doc;
        #deprecated
    }
}

fn check_name(text: &LitStr, problems: &mut Problems) {
    let name = text.value();
    let labels: Vec<&str> = name.split('.').collect();
    let of_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let good = |label: &str| {
        !label.is_empty()
            && label.chars().all(of_label)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let versioned = |label: &&str| {
        label
            .strip_prefix('v')
            .is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()))
    };
    if labels.len() < 3 || !labels.iter().all(|label| good(label)) {
        let message = format!(
            "`{name}` is not the name of a published type: that is a reversed domain name and what \
             it is, of small letters, digits and `-`, as in `com.example.tickets.tickets-issued`"
        );
        problems.at(text, message);
    } else if let Some(last) = labels.last().copied().filter(versioned) {
        let number = &last[1..];
        let message = format!(
            "the version is no part of the name; write `version = {number}`, and `.{last}` is added"
        );
        problems.at(text, message);
    } else if name.len() > MAX_NAME_BYTES {
        let n = name.len();
        problems.at(
            text,
            format!("this name has {n} bytes; at most {MAX_NAME_BYTES} are published"),
        );
    }
}

/// `const DEPRECATED`; nothing without `deprecated(…)`.
fn deprecated(args: &mut Args, krate: &Path, problems: &mut Problems) -> Option<TokenStream> {
    let (mut inner, place) = args.inside("deprecated", "deprecated", DEPRECATED, problems)?;
    let since = inner.text("since", problems);
    let sunset = inner.text("sunset", problems);
    let instead = inner.text("instead", problems);
    let Some(since) = since else {
        problems.at_span(
            place,
            "`deprecated` says since when: `since = \"2026-12-31\"`",
        );
        return None;
    };
    let good = |text: &LitStr| is_date(&text.value());
    for text in [Some(&since), sunset.as_ref()].into_iter().flatten() {
        if !good(text) {
            problems.at(text, "write a date: `2026-12-31`");
        }
    }
    if let Some(sunset) = &sunset
        && good(sunset)
        && good(&since)
        && sunset.value() < since.value()
    {
        problems.at(sunset, "it cannot cease before it is deprecated");
    }
    let (sunset, instead) = (option(sunset.as_ref()), option(instead.as_ref()));
    let ty = quote!(#krate::bus::Deprecated);
    Some(quote! {
        const DEPRECATED: ::core::option::Option<#ty> = ::core::option::Option::Some(#ty {
            since: #since,
            sunset: #sunset,
            instead: #instead,
        });
    })
}

/// Whether a text has the form of a date and a month and a day that there can be.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str, digits: usize| {
        let right = part.len() == digits && part.chars().all(|c| c.is_ascii_digit());
        right.then(|| part.parse::<u32>().ok()).flatten()
    };
    match parts[..] {
        [year, month, day] => {
            number(year, 4).is_some()
                && number(month, 2).is_some_and(|m| (1..=12).contains(&m))
                && number(day, 2).is_some_and(|d| (1..=31).contains(&d))
        }
        _ => false,
    }
}

/// `fn subject`; takes the `#[subject]` off its field.
fn subject(item: &mut ItemStruct, krate: &Path, problems: &mut Problems) -> Option<TokenStream> {
    let mut found: Option<(TokenStream, Span)> = None;
    for field in &mut item.fields {
        let marks = SUBJECT.take(&mut field.attrs, problems);
        let Some(mark) = marks.first() else { continue };
        if !matches!(mark, Meta::Path(_)) {
            problems.at(mark, "`#[subject]` stands alone");
        }
        if found.is_some() || marks.len() > 1 {
            let place = marks.last().unwrap_or(mark);
            problems.at(
                place,
                "what is published is about one thing; it has one `#[subject]`",
            );
            continue;
        }
        let (name, ty) = (&field.ident, &field.ty);
        let call = quote_spanned! {ty.span()=>
            <#ty as #krate::bus::Subject>::subject(&self.#name)
        };
        found = Some((call, ty.span()));
    }
    found.map(|(call, _)| {
        quote! {
            fn subject(&self) -> ::core::option::Option<::std::string::String> {
                #call
            }
        }
    })
}
