//! `#[derive(CommandSet)]`: an enum of the commands that a process sends.

use crate::args::Args;
use crate::problems::Problems;
use crate::set::{Kind, Set};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Path};

const KIND: Kind = Kind {
    derive: "CommandSet",
    one: "one command",
    example: "PlaceOrder",
};

/// `impl CommandSet` and the conversions.
pub(crate) fn expand(input: DeriveInput) -> TokenStream {
    let mut problems = Problems::default();
    let (owner, name) = ("#[command_set]", "command_set");
    let mut args = Args::of_attributes(owner, &["crate"], &input.attrs, name, &mut problems);
    let krate = args.krate(&mut problems);
    let set = Set::read(&KIND, input, &mut problems);
    let code = set.map(|set| code(&set, &krate));
    let errors = problems.into_tokens();
    quote!(#code #errors)
}

fn code(set: &Set, krate: &Path) -> TokenStream {
    let Set {
        name,
        variants,
        types,
        rest,
    } = set;
    let command = quote!(#krate::command);
    let value = quote!(#krate::reexport::serde_json::Value);
    let of = |ty: &syn::Type| quote_spanned!(ty.span()=> <#ty as #krate::command::CommandSet>);
    let sets: Vec<TokenStream> = types.iter().map(of).collect();
    let parts: Vec<TokenStream> = sets.iter().map(|set| quote!(#set::NAMES)).collect();
    let names = set.names(&parts);
    let froms = set.froms();
    // A constant of their own makes every build compute the names: one given twice stops it.
    quote! {
        const _: () = {
            const NAMES: &[&str] = #names;
            #[automatically_derived]
            impl #command::CommandSet for #name {
                const NAMES: &'static [&'static str] = NAMES;
                fn encode(
                    &self,
                ) -> ::core::result::Result<(&'static str, #value), #command::InputError> {
                    match self {
                        #(Self::#variants(one) => #sets::encode(one),)*
                        #rest
                    }
                }
                fn decode(
                    name: &str,
                    body: &#value,
                ) -> ::core::result::Result<::core::option::Option<Self>, #command::InputError> {
                    #(
                        if let ::core::option::Option::Some(one) = #sets::decode(name, body)? {
                            return ::core::result::Result::Ok(
                                ::core::option::Option::Some(Self::#variants(one)),
                            );
                        }
                    )*
                    ::core::result::Result::Ok(::core::option::Option::None)
                }
            }
        };
        #froms
    }
}
