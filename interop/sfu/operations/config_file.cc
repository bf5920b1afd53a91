#include "sfu/operations/config_file.h"

#include <cstddef>
#include <regex>
#include <set>
#include <sstream>

namespace sluice::interop::sfu {
namespace {

// Empty, a comment, or KEY = VALUE or [VALUE, VALUE], with a comment after it. A value is in
// quotes, or a word without what has a meaning in TOML. CLI11 takes no escapes and no # in quotes.
constexpr const char* kLine =
    R"re(\s*(#.*)?|\s*[a-z-]+\s*=\s*(V|\[\s*V(\s*,\s*V)*\s*\])\s*(#.*)?)re";
constexpr const char* kValue = R"re(("[^"#\\]*"|'[^'#]*'|[^\s#"',=[\]\\]+))re";

const std::regex& line_form() {
  static const std::regex kForm(std::regex_replace(std::string{kLine}, std::regex("V"), kValue));
  return kForm;
}

}  // namespace

void check_option(CLI::App& app, const std::string& key, const std::vector<std::string>& values) {
  if (app.get_option_no_throw("--" + key) == nullptr) {
    throw CLI::ConfigError("there is no option " + key, CLI::ExitCodes::ConfigError);
  }
  std::vector<std::string> arguments(values.size(), "--" + key + "=");
  for (std::size_t i = 0; i < values.size(); ++i) arguments[i] += values[i];
  app.parse(std::move(arguments));
}

std::vector<CLI::ConfigItem> ConfigFile::from_config(std::istream& input) const {
  std::vector<CLI::ConfigItem> all;
  std::set<std::string> keys;
  std::size_t number = 0;
  const auto fail = [&](const std::string& what) {
    throw CLI::ConfigError(
        app_.get_config_ptr()->as<std::string>() + ":" + std::to_string(number) + ": " + what,
        CLI::ExitCodes::ConfigError);
  };
  for (std::string line; std::getline(input, line);) {
    ++number;
    if (!std::regex_match(line, line_form())) fail("not of the form KEY = VALUE");
    std::istringstream alone(line);
    for (CLI::ConfigItem& item : ConfigBase::from_config(alone)) {
      if (!keys.insert(item.name).second) fail("the option " + item.name + " stands there twice");
      try {
        check_(item.name, item.inputs);
      } catch (const CLI::ParseError& error) {
        fail(error.what());
      }
      all.push_back(std::move(item));
    }
  }
  return all;
}

}  // namespace sluice::interop::sfu
