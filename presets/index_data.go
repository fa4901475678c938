package presets

var providerIndex = [...]Entry{}
var domainIndex = [...]domainEntry{}
var flagshipSuffixes = []suffixEntry{}
var ispdbSuffixes = []suffixEntry{}
