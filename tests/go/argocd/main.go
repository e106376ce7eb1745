// The parts of Argo CD that deliver, in one program: its application controller, its repository server, and a Redis in
// memory for their cache. usage: argocd redis ADDRESS | argocd application-controller FLAGS… | argocd repo-server FLAGS…
package main

import (
	"log"
	"os"

	"github.com/alicebob/miniredis/v2"
	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	repository "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	"github.com/spf13/cobra"
)

func main() {
	var err error
	switch part, rest := os.Args[1], os.Args[2:]; part {
	case "redis":
		err = redis(rest[0])
	case "application-controller":
		err = run(controller.NewCommand(), rest)
	case "repo-server":
		err = run(repository.NewCommand(), rest)
	default:
		log.Fatalf("no such part: %s", part)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func run(command *cobra.Command, arguments []string) error {
	command.SetArgs(arguments)
	return command.Execute()
}

func redis(address string) error {
	if err := miniredis.NewMiniRedis().StartAddr(address); err != nil {
		return err
	}
	select {}
}
