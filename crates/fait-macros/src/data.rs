//! `#[data]`, and the derives that it shares with `#[event]` and `#[command]`.

use crate::args::Args;
use crate::problems::Problems;
use crate::words::written;
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Item, Meta, Path, Token};

/// `#[data]`: the item with its derives.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut problems = Problems::default();
    let krate = Args::read("#[data]", &["crate"], args, &mut problems).krate(&mut problems);
    let parsed = syn::parse2::<Item>(item.clone());
    let attrs = match &parsed {
        Ok(Item::Struct(item)) => &item.attrs,
        Ok(Item::Enum(item)) => &item.attrs,
        _ => {
            problems.at_span(item.span(), "`#[data]` goes on a struct or an enum");
            let errors = problems.into_tokens();
            return quote!(#item #errors);
        }
    };
    let derives = derives(&krate, attrs);
    let errors = problems.into_tokens();
    quote!(#derives #item #errors)
}

/// The derives of everything that is stored or sent, without those that the user wrote below.
pub(crate) fn derives(krate: &Path, attrs: &[Attribute]) -> TokenStream {
    let (serde, schemars) = paths(krate);
    let mut ours = values();
    ours.push(("Serialize", quote!(#serde::Serialize)));
    ours.push(("Deserialize", quote!(#serde::Deserialize)));
    ours.push(("JsonSchema", quote!(#schemars::JsonSchema)));
    let derive = derive_missing(ours, attrs);
    let crate_of = |word: TokenStream, path: &TokenStream| {
        let user = word.to_string();
        let said = attrs
            .iter()
            .any(|a| a.path().is_ident(&user) && says_crate(a));
        let path = written(path);
        (!said).then(|| quote!(#[#word(crate = #path)]))
    };
    let serde = crate_of(quote!(serde), &serde);
    let schemars = crate_of(quote!(schemars), &schemars);
    quote!(#derive #serde #schemars)
}

/// The paths of serde and schemars.
pub(crate) fn paths(krate: &Path) -> (TokenStream, TokenStream) {
    (
        quote!(#krate::reexport::serde),
        quote!(#krate::reexport::schemars),
    )
}

/// The derives that every value has.
pub(crate) fn values() -> Vec<(&'static str, TokenStream)> {
    vec![
        ("Clone", quote!(::core::clone::Clone)),
        ("Debug", quote!(::core::fmt::Debug)),
        ("PartialEq", quote!(::core::cmp::PartialEq)),
    ]
}

/// A derive of those that the user did not write.
pub(crate) fn derive_missing(ours: Vec<(&str, TokenStream)>, attrs: &[Attribute]) -> TokenStream {
    let theirs = derived(attrs);
    let missing = ours
        .into_iter()
        .filter(|(name, _)| !theirs.iter().any(|t| t == name));
    let paths = missing.map(|(_, path)| path);
    quote!(#[derive(#(#paths),*)])
}

/// The names of the derives that stand in some attributes.
pub(crate) fn derived(attrs: &[Attribute]) -> Vec<String> {
    let lists = attrs.iter().filter(|a| a.path().is_ident("derive"));
    let paths = lists
        .filter_map(|a| {
            a.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated)
                .ok()
        })
        .flatten();
    paths
        .filter_map(|p| p.segments.last().map(|s| s.ident.to_string()))
        .collect()
}

fn says_crate(attr: &Attribute) -> bool {
    let Meta::List(list) = &attr.meta else {
        return false;
    };
    let tokens = list.tokens.to_token_stream();
    tokens
        .into_iter()
        .any(|t| matches!(t, TokenTree::Ident(word) if word == "crate"))
}
