#include "report.h"

#include <iomanip>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

namespace sluice::bench {
namespace {

constexpr int kNameWidth = 44;
constexpr int kUnitWidth = 12;
constexpr int kFigureWidth = 11;

// Three digits that mean something.
std::string text_of(double value) {
  std::ostringstream out;
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  out << std::fixed << std::setprecision(decimals) << value;
  return out.str();
}

std::string text_of(const Goal& goal) {
  if (goal.peer.empty()) return "<= " + text_of(goal.limit);
  return "<= " + text_of(goal.limit) + " x " + goal.peer;
}

std::string text_of(const std::vector<Goal>& goals) {
  std::string text;
  for (const Goal& goal : goals) text += (text.empty() ? "" : ", ") + text_of(goal);
  return text;
}

}  // namespace

void print_header(std::ostream& out) {
  out << std::left << std::setw(kNameWidth) << "measure" << std::setw(kUnitWidth) << "unit"
      << std::right << std::setw(kFigureWidth) << "ours" << std::setw(8) << "spread"
      << "  peers (ours / peer), goals\n";
}

void print(std::ostream& out, const Outcome& outcome) {
  out << std::left << std::setw(kNameWidth) << outcome.name << std::setw(kUnitWidth) << outcome.unit
      << std::right << std::setw(kFigureWidth) << text_of(outcome.ours.median) << std::setw(7)
      << text_of(outcome.ours.spread * 100) << '%';
  for (const auto& [name, peer] : outcome.peers) {
    out << "  " << name << ' ' << text_of(peer.figure.median) << " (" << text_of(peer.ratio) << ')';
  }
  for (const Goal& goal : outcome.goals) {
    out << "  [" << text_of(goal) << (outcome.met(goal) ? ": met]" : ": NOT met]");
  }
  out << std::endl;
}

void write_json(std::ostream& out, const std::vector<Outcome>& outcomes) {
  nlohmann::ordered_json measures = nlohmann::ordered_json::array();
  for (const Outcome& outcome : outcomes) {
    nlohmann::ordered_json peers = nlohmann::ordered_json::object();
    nlohmann::ordered_json ratios = nlohmann::ordered_json::object();
    for (const auto& [name, peer] : outcome.peers) {
      peers[name] = peer.figure.median;
      ratios[name] = peer.ratio;
    }
    nlohmann::ordered_json measure{{"name", outcome.name},
                                   {"unit", outcome.unit},
                                   {"ours", outcome.ours.median},
                                   {"spread", outcome.ours.spread},
                                   {"peers", peers},
                                   {"ratios", ratios},
                                   {"goal", nullptr},
                                   {"met", nullptr}};
    if (const auto met = outcome.met()) {
      measure["goal"] = text_of(outcome.goals);
      measure["met"] = *met;
    }
    measures.push_back(std::move(measure));
  }
  out << nlohmann::ordered_json{{"measures", std::move(measures)}}.dump(2) << '\n';
}

}  // namespace sluice::bench
