import ArgumentParser
struct Program: ParsableCommand { static let configuration = CommandConfiguration(commandName: "shardctl") }
Program.main()
