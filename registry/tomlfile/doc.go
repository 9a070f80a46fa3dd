// Package tomlfile reads TOML, the format of what people write for raresync by
// hand: configurations and mapping profiles.
//
//	unknown, err := tomlfile.Decode(text, &profile)
//
// It is the one place that knows the library. Its errors name the line and say
// what is wrong in plain words; a key that the target has no field for is not
// passed over but returned, since it is a slip of the pen more often than not.
//
// The package trusts its caller to have bounded the text.
package tomlfile
