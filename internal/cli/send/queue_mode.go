package send

import (
	"context"

	"github.com/spf13/cobra"

	"postier/config"
	"postier/delivery"
	"postier/internal/cli/command"
)

// newQueueMode is `postier queue mode`, which shows how messages are delivered here or changes it (P-13).
func newQueueMode(f *command.Factory) *cobra.Command {
	return f.Leaf("mode [queue|direct]", "sendcli.short.queue-mode", 0, 1, func(_ context.Context, args []string) error {
		doc, err := f.Document()
		if err != nil {
			return err
		}
		if len(args) == 0 {
			mode := modeOf(&doc.File)
			return f.Result(map[string]config.QueueMode{"mode": mode}, func() {
				f.Println(string(mode) + "  " + f.T("sendcli.queue.mode-"+string(mode)))
			})
		}
		mode := config.QueueMode(args[0])
		if text := command.OneOf(args[0], config.QueueModes()...); !text.Empty() {
			return command.Usage(f.Say(text))
		}
		doc.File.Queue.Mode = mode
		return doc.Save()
	})
}

func modeOf(file *config.File) config.QueueMode {
	if file.Queue.Mode == "" {
		return config.ModeQueue
	}
	return file.Queue.Mode
}

// how is how a message is sent: as its caller says, else as the configuration does.
func how(file *config.File, direct, later bool) delivery.How {
	return delivery.How{Direct: direct || !later && modeOf(file) == config.ModeDirect, Later: later}
}
