// Files with options: KEY = VALUE, in TOML as CLI11 reads it.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sluice::interop::sfu {

// Whether an app takes an option with these values: throws a CLI::ParseError if not.
void check_option(CLI::App& app, const std::string& key, const std::vector<std::string>& values);

// CLI11 alone takes what it can make something of: "a#b" is "a to it, the second line of a key has
// no effect, and errors have no line. Here each line is read by itself, and what is wrong with it
// is an error: "FILE:LINE: what".
class ConfigFile final : public CLI::ConfigBase {
 public:
  // As check_option().
  using Check = std::function<void(const std::string& key, const std::vector<std::string>& values)>;
  // `app`: whose --config names the file.
  ConfigFile(const CLI::App& app, Check check) : app_(app), check_(std::move(check)) {}

  [[nodiscard]] std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;

 private:
  const CLI::App& app_;
  Check check_;
};

// Adds --config, whose file may have all options that `describe` adds to an app. Options of the
// command line come before those of the file, and these before the environment.
template <class Options>
void add_config_file(CLI::App& app, void (*describe)(CLI::App&, Options&)) {
  app.set_config("--config", "", "File with options, as KEY = VALUE in TOML");
  app.config_formatter(std::make_shared<ConfigFile>(
      app, [describe](const std::string& key, const std::vector<std::string>& values) {
        CLI::App alone;
        alone.set_help_flag();
        Options scratch;
        describe(alone, scratch);
        check_option(alone, key, values);
      }));
}

}  // namespace sluice::interop::sfu
