import Testing

@Suite("The rules of the house")
struct TidyTests {
    @Test("The whole tree keeps", arguments: Rules.all)
    func treeKeeps(rule: Rule) {
        let broken = SourceTree.files.flatMap(rule.check)
        for violation in broken { Issue.record("\(violation)\n  instead: \(rule.advice)") }
    }

    @Test("A broken file is found by", arguments: Rules.all)
    func badIsFound(rule: Rule) {
        #expect(!rule.check(rule.bad.file).isEmpty, "the rule \(rule.name) cannot fail")
    }

    @Test("The right way passes", arguments: Rules.all)
    func goodPasses(rule: Rule) {
        #expect(rule.check(rule.good.file).map(\.description) == [])
    }

    @Test("The tree is read: targets, tests, scripts, manifest")
    func treeIsRead() {
        let paths = Set(SourceTree.files.map(\.path))
        #expect(paths.contains("Package.swift"))
        #expect(paths.contains("Tests/run"))
        #expect(paths.contains("Sources/ClusterModel/Slot.swift"))
        #expect(paths.contains("Tests/TidyTests/TidyTests.swift"))
    }

    @Test("The manifest is understood")
    func manifestIsUnderstood() {
        let targets = SourceTree.manifest.targets
        #expect(targets["Wire"] == ["ClusterModel"])
        #expect(targets["ClusterClient"]?.contains("NIOPosix") == true)
        #expect(targets["NodeRuntime"]?.contains("Yams") == true)
        #expect(targets["shardctl"]?.contains("ArgumentParser") == true)
        #expect(targets["metasrv"]?.contains("NIOCore") == false)
    }

    @Test("Strings and comments are no code")
    func scannerSeparates() {
        let file = SourceFile(
            path: "x.swift",
            text:
                "let a = \"try! // no\" // why\n/* b!\n c! */ d\nlet e = \"\"\"\n  f!\n  \"\"\"; g\nlet h = #\"\\\"i\"#; j"
        )
        #expect(file.lines[0].code == "let a = \"\" " && file.lines[0].comment == " why")
        #expect(file.lines[1].code == "" && file.lines[2].code == " d")
        #expect(!file.lines[4].code.contains("f") && file.lines[5].code.contains("g"))
        #expect(file.lines[6].code == "let h = \"\"; j")
    }
}
