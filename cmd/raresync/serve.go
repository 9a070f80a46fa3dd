package main

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/daemon"
	"github.com/raresync/raresync/daemon/config"
)

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "run the node's daemon until it is told to stop",
		Description: "The service manager runs this. SIGTERM and SIGINT stop the daemon cleanly. It must not be\n" +
			"restarted after exit codes 74 (storage failed), 75 (in use), 77 (keys) and 78 (configuration).",
		Flags:  []cli.Flag{&cli.BoolFlag{Name: "plain-view", Usage: "leave the database of opened entries readable on disk, as view.plain does"}},
		Action: serve,
	}
}

func serve(c *cli.Context) error {
	if _, err := arguments(c, 0, 0); err != nil {
		return err
	}
	cfg, err := loadConfig(c)
	if errors.Is(err, fs.ErrNotExist) {
		return coded{exitConfig, err}
	}
	if err != nil {
		return err
	}
	cfg.View.Plain = cfg.View.Plain || c.Bool("plain-view")
	return daemon.Run(c.Context, cfg, logger(c.App.ErrWriter, cfg.Log), version)
}

// logger returns the daemon's log as the configuration wants it.
func logger(w io.Writer, cfg config.Log) *slog.Logger {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}
	options := &slog.HandlerOptions{Level: levels[cfg.Level]}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
