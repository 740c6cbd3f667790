import ArgumentParser

/// Lets global options stand before the noun: they are moved behind the verb, where the verb's own parser reads them.
enum ArgumentOrder {
    private static let valued: Set<String> = ["--meta", "-o", "--output", "--secret-file", "--password-file"]
    private static let flags: Set<String> = ["--yes", "--plan", "--detach"]

    /// The arguments with leading global options moved behind the words that name a verb of `root`. Anything else is left
    /// as it is, for the parser to judge.
    static func hoisted(_ arguments: [String], root: any ParsableCommand.Type) -> [String] {
        var globals: [String] = []
        var rest = arguments[...]
        while let first = rest.first {
            if flags.contains(first) || valued.contains(where: { isJoined(first, $0) }) {
                globals.append(first)
                rest = rest.dropFirst()
            } else if valued.contains(first), rest.count > 1 {
                globals += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else {
                break
            }
        }
        guard !globals.isEmpty else { return arguments }
        var path: [String] = []
        var command = root
        while let word = rest.first,
            let next = command.configuration.subcommands.first(where: { $0._commandName == word })
        {
            path.append(word)
            command = next
            rest = rest.dropFirst()
        }
        return path + globals + rest
    }

    /// Whether an argument carries the option's value itself: `--meta=x`, `-ojson`.
    private static func isJoined(_ argument: String, _ option: String) -> Bool {
        option.hasPrefix("--")
            ? argument.hasPrefix(option + "=") : argument.hasPrefix(option) && argument.count > option.count
    }
}
