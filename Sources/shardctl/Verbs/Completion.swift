import ArgumentParser

/// `shardctl completion bash|zsh|fish`
struct Completion: ParsableCommand {
    enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

    static let configuration = CommandConfiguration(
        abstract: "Write a shell's completion script.",
        discussion: """
            EXAMPLES:
              source <(shardctl completion bash)
              shardctl completion zsh > ~/.zfunc/_shardctl
              shardctl completion fish > ~/.config/fish/completions/shardctl.fish
            """)

    @Argument(help: "The shell.") var shell: Shell

    func run() {
        switch shell {
        case .bash: print(Shardctl.completionScript(for: .bash))
        case .zsh: print(Shardctl.completionScript(for: .zsh))
        case .fish: print(Shardctl.completionScript(for: .fish))
        }
    }
}
