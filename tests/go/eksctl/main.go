// Command eksctl-check asks eksctl what it would say of ClusterConfig files before it first calls AWS.
//
// It is the offline half of `eksctl create cluster -f FILE`: the loader of that command, then its defaults and checks.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/weaveworks/eksctl/pkg/accessentry"
	api "github.com/weaveworks/eksctl/pkg/apis/eksctl.io/v1alpha5"
	"github.com/weaveworks/eksctl/pkg/ctl/cmdutils"
	"github.com/weaveworks/eksctl/pkg/ctl/cmdutils/filter"
)

func check(path string) error {
	cmd := &cmdutils.Cmd{
		CobraCommand:      &cobra.Command{Use: "cluster"},
		ClusterConfig:     api.NewClusterConfig(),
		ClusterConfigFile: path,
		Validate:          true,
	}
	params := &cmdutils.CreateClusterCmdParams{}
	if err := cmdutils.NewCreateClusterLoader(cmd, filter.NewNodeGroupFilter(), api.NewNodeGroup(), params).Load(); err != nil {
		return err
	}
	if name := cmd.ClusterConfig.Metadata.Name; api.IsInvalidNameArg(name) {
		return api.ErrInvalidName(name)
	}
	if err := cmd.InitializeClusterConfig(); err != nil {
		return err
	}
	if err := cmd.ClusterConfig.ValidatePrivateCluster(); err != nil {
		return err
	}
	if err := cmd.ClusterConfig.ValidateClusterEndpointConfig(); err != nil {
		return err
	}
	return accessentry.ValidateAPIServerAccess(cmd.ClusterConfig)
}

func main() {
	refused := false
	for _, path := range os.Args[1:] {
		if err := check(path); err != nil {
			refused = true
			fmt.Printf("%s: %v\n", path, err)
		}
	}
	if refused {
		os.Exit(1)
	}
}
