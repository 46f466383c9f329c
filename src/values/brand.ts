declare const brand: unique symbol;

/** Brand makes a primitive that only its parser can make: `ClusterId` is a string, but not every string a ClusterId. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
