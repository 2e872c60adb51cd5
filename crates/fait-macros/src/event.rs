//! `#[event]`: one event as a struct, with its stored name, version and tags.

use crate::args::Args;
use crate::problems::Problems;
use crate::record::{self, Helper};
use crate::unit::derives_of;
use crate::words::documentation;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, ItemStruct, LitStr, Meta, Path};

const OWNER: &str = "#[event]";
const KNOWN: &[&str] = &[
    "", "name", "version", "upcast", "downcast", "oldest", "was", "crate",
];
const MAX_NAME_BYTES: usize = 255;
const MAX_OLD_NAMES: usize = 31;
const TAG: Helper = Helper {
    name: "tag",
    instead: &[
        ("tags", "there is no `#[tags]`; write `#[tag]`"),
        ("tagged", "there is no `#[tagged]`; write `#[tag]`"),
        ("field", "`#[field]` belongs to the fields of a command"),
        (
            "subject",
            "`#[subject]` belongs to the fields of what is `#[published]`",
        ),
    ],
};

const OTHERS: &[(&str, &str)] = &[("published", BOTH)];
/// Why an event is not published as it is.
pub(crate) const BOTH: &str = "an event of the domain is not published: it changes with the domain, \
     and others rely on what is published; write a struct of its own with `#[published(…)]`, and \
     make it of the event in a `Publish`";

/// The struct with its derives, and its `impl Event`.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    let sets = "for several events derive `EventSet`";
    let mut item = match record::read(OWNER, "an event", sets, item, &mut problems) {
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
    let tags = tags(&mut item, &krate, &mut problems);
    let (derives, written) = derives_of(&krate, &item);
    let name = &item.ident;
    let errors = problems.into_tokens();
    quote! {
        #derives
        #item
        #written
        #[automatically_derived]
        impl #krate::event::Event for #name {
            #identity
            #tags
        }
        #errors
    }
}

/// Names, version, documentation and upcaster.
fn identity(
    args: &mut Args,
    krate: &Path,
    item: &ItemStruct,
    problems: &mut Problems,
) -> TokenStream {
    let bare = args.bare(problems);
    let named = args.text("name", problems);
    if let (Some(_), Some(named)) = (&bare, &named) {
        problems.at(named, "the name is given twice");
    }
    let default = || LitStr::new(&item.ident.unraw().to_string(), item.ident.span());
    let name = bare.or(named).unwrap_or_else(default);
    let was = args.texts("was", problems);
    check_names(&name, &was, problems);
    let version = args.number("version", problems);
    let upcast = args.path("upcast", problems);
    check_version(version, upcast.as_ref(), problems);
    let number = version.map_or(1, |(n, _)| n);
    let downcast = downcast(args, krate, number, problems);
    let doc = documentation(&item.attrs);
    let upcast = upcast.map(|path| caster(krate, &path, "upcast"));
    quote! {
        const TYPE: &'static str = #name;
        const WAS: &'static [&'static str] = &[#(#was),*];
        const VERSION: u32 = #number;
        const DOC: &'static str = #doc;
        #upcast
        #downcast
    }
}

/// The downcaster, with the oldest version that it gives.
fn downcast(
    args: &mut Args,
    krate: &Path,
    version: u32,
    problems: &mut Problems,
) -> Option<TokenStream> {
    let path = args.path("downcast", problems);
    let oldest = args.number("oldest", problems);
    let Some(path) = path else {
        if let Some((_, span)) = oldest {
            let message = "`oldest` says how far back `downcast` goes, and there is none; write \
                 `downcast = …`";
            problems.at_span(span, message);
        }
        return None;
    };
    if version < 2 {
        let message = "`downcast` gives older versions, and version 1 has none; write \
             `version = 2`";
        problems.at(&path, message);
    } else if let Some((n, span)) = oldest
        && n >= version
    {
        let message = format!("`oldest` is a version before {version}, which is today's");
        problems.at_span(span, message);
    }
    let oldest = oldest.map_or(1, |(n, _)| n);
    let function = caster(krate, &path, "downcast");
    Some(quote! {
        const OLDEST: u32 = #oldest;
        #function
    })
}

fn check_names(name: &LitStr, was: &[LitStr], problems: &mut Problems) {
    let mut seen: Vec<String> = vec![];
    for text in std::iter::once(name).chain(was) {
        let value = text.value();
        if value.is_empty() {
            problems.at(text, "a stored name cannot be empty");
        } else if value.starts_with('$') {
            let message = "names that start with `$` are reserved for fait's own events";
            problems.at(text, message);
        } else if value.len() > MAX_NAME_BYTES {
            let n = value.len();
            let message = format!("this name has {n} bytes; at most {MAX_NAME_BYTES} are stored");
            problems.at(text, message);
        } else if value.chars().any(char::is_control) {
            problems.at(text, "a stored name has no control characters");
        } else if seen.contains(&value) {
            problems.at(text, format!("`{value}` is already a name of this event"));
        }
        seen.push(value);
    }
    if let Some(text) = was.get(MAX_OLD_NAMES) {
        problems.at(
            text,
            format!("an event has at most {MAX_OLD_NAMES} older names"),
        );
    }
}

fn check_version(version: Option<(u32, Span)>, upcast: Option<&Path>, problems: &mut Problems) {
    match (version, upcast) {
        (Some((n, span)), None) if n > 1 => {
            let message = format!(
                "version {n} needs `upcast = …`: a `fn(u32, Value) -> Result<Value, String>` \
                 that brings the JSON of an older version to version {n}"
            );
            problems.at_span(span, message);
        }
        (None | Some((1, _)), Some(path)) => {
            let message = "`upcast` reads older versions, and version 1 has none; write \
                 `version = 2`";
            problems.at(path, message);
        }
        _ => {}
    }
}

/// `fn upcast` or `fn downcast`.
fn caster(krate: &Path, path: &Path, name: &str) -> TokenStream {
    let value = quote!(#krate::reexport::serde_json::Value);
    let result = quote!(::core::result::Result<#value, ::std::string::String>);
    let function = quote_spanned!(path.span()=> fn(u32, #value) -> #result);
    let name = Ident::new(name, Span::call_site());
    quote! {
        fn #name(version: u32, data: #value) -> #result {
            const CAST: #function = #path;
            CAST(version, data)
        }
    }
}

/// `fn tags`; takes the `#[tag]`s off the fields.
fn tags(item: &mut ItemStruct, krate: &Path, problems: &mut Problems) -> TokenStream {
    let mut calls = vec![];
    for field in &mut item.fields {
        let tags = TAG.take(&mut field.attrs, problems);
        let Some(tag) = tags.first() else { continue };
        if !matches!(tag, Meta::Path(_)) {
            problems.at(
                tag,
                "`#[tag]` stands alone: the kind comes from the id's type",
            );
        }
        if let Some(again) = tags.get(1) {
            problems.at(again, "this field is already tagged");
        }
        let (name, ty) = (&field.ident, &field.ty);
        let conditions = record::conditions(&field.attrs);
        calls.push(quote_spanned! {ty.span()=>
            #conditions
            <#ty as #krate::event::Tagged>::tags_into(&self.#name, &mut tags);
        });
    }
    let body = if calls.is_empty() {
        quote!(::std::vec::Vec::new())
    } else {
        quote!(let mut tags = ::std::vec::Vec::new(); #(#calls)* tags)
    };
    quote! {
        fn tags(&self) -> ::std::vec::Vec<#krate::event::Tag> {
            #body
        }
    }
}
