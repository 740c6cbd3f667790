import ArgumentParser
struct Program: ParsableCommand { static let configuration = CommandConfiguration(commandName: "metasrv") }
Program.main()
