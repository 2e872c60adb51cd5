//! Visible enums of one-field variants: what `EventSet` and `CommandSet` are derived for.

use crate::problems::Problems;
use crate::words::written;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, Ident, Type};

/// What a set holds, in words for errors.
pub(crate) struct Kind {
    /// The derive.
    pub(crate) derive: &'static str,
    /// One element with its article.
    pub(crate) one: &'static str,
    /// An element as an example.
    pub(crate) example: &'static str,
}

/// The enum that a set is derived for.
pub(crate) struct Set {
    /// Its name.
    pub(crate) name: Ident,
    /// The variants.
    pub(crate) variants: Vec<Ident>,
    /// What each of them holds.
    pub(crate) types: Vec<Type>,
    /// The match arm for variants that could not be read; they are errors already.
    pub(crate) rest: Option<TokenStream>,
}

impl Set {
    /// Reads the enum; none when it is not one.
    pub(crate) fn read(kind: &Kind, input: DeriveInput, problems: &mut Problems) -> Option<Set> {
        let Kind {
            derive,
            one,
            example,
        } = kind;
        let Data::Enum(data) = input.data else {
            let message = format!(
                "`{derive}` is derived for an enum: `enum {} {{ {example}({example}) }}`",
                input.ident
            );
            problems.at(&input.ident, message);
            return None;
        };
        if !input.generics.params.is_empty() {
            problems.at(&input.generics, "a set has no type parameters or lifetimes");
            return None;
        }
        if data.variants.is_empty() {
            let message = "a set has at least one variant; the empty set is `Never`";
            problems.at(&input.ident, message);
            return None;
        }
        let mut set = Set {
            name: input.ident,
            variants: vec![],
            types: vec![],
            rest: None,
        };
        let all = data.variants.len();
        for variant in data.variants {
            match variant.fields {
                Fields::Unnamed(mut fields) if fields.unnamed.len() == 1 => {
                    if let Some(field) = fields.unnamed.pop() {
                        set.add(variant.ident, field.ty, one, problems);
                    }
                }
                other => {
                    let (span, name) = (place(&other, &variant.ident), &variant.ident);
                    let message = format!("a variant holds {one}: `{name}({example})`");
                    problems.at_span(span, message);
                }
            }
        }
        if set.variants.len() < all {
            set.rest = Some(quote!(_ => ::core::unreachable!(),));
        }
        Some(set)
    }

    fn add(&mut self, variant: Ident, ty: Type, one: &str, problems: &mut Problems) {
        let text = written(&ty);
        if let Some(at) = self.types.iter().position(|t| written(t) == text) {
            let first = &self.variants[at];
            let message = format!("`{first}` already holds `{text}`; {one} has one variant");
            problems.at(&ty, message);
            return;
        }
        self.variants.push(variant);
        self.types.push(ty);
    }

    /// `From<V>` for each variant.
    pub(crate) fn froms(&self) -> TokenStream {
        let Set {
            name,
            variants,
            types,
            ..
        } = self;
        quote! {
            #(
                #[automatically_derived]
                impl ::core::convert::From<#types> for #name {
                    fn from(one: #types) -> Self {
                        Self::#variants(one)
                    }
                }
            )*
        }
    }

    /// The names of all variants as a constant slice, from the slices of each. A name that stands
    /// in two variants stops the build: the second would never be read.
    pub(crate) fn names(&self, parts: &[TokenStream]) -> TokenStream {
        let twice = format!(
            "two variants of this set, {}, have the same stored name",
            self.name
        );
        quote! {{
            const PARTS: &[&[&str]] = &[#(#parts),*];
            const COUNT: usize = {
                let (mut count, mut part) = (0, 0);
                while part < PARTS.len() {
                    count += PARTS[part].len();
                    part += 1;
                }
                count
            };
            const fn same(a: &str, b: &str) -> bool {
                let (a, b) = (a.as_bytes(), b.as_bytes());
                let mut at = 0;
                while at < a.len() && at < b.len() && a[at] == b[at] {
                    at += 1;
                }
                at == a.len() && at == b.len()
            }
            const ALL: [&str; COUNT] = {
                let mut all = [""; COUNT];
                let (mut count, mut part) = (0, 0);
                while part < PARTS.len() {
                    let mut at = 0;
                    while at < PARTS[part].len() {
                        let mut before = 0;
                        while before < count {
                            ::core::assert!(!same(all[before], PARTS[part][at]), #twice);
                            before += 1;
                        }
                        all[count] = PARTS[part][at];
                        count += 1;
                        at += 1;
                    }
                    part += 1;
                }
                all
            };
            &ALL
        }}
    }
}

fn place(fields: &Fields, name: &Ident) -> Span {
    match fields {
        Fields::Unit => name.span(),
        other => other.span(),
    }
}
