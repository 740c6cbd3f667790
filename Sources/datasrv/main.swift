import ArgumentParser
struct Program: ParsableCommand { static let configuration = CommandConfiguration(commandName: "datasrv") }
Program.main()
